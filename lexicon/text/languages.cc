#include "lexicon/text/languages.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lexicon/text/unicode.h"

namespace glyphward::lexicon {
namespace {

using Set = std::unordered_set<std::string_view>;

constexpr std::array<std::string_view, Languages::kCount> kLanguages = {
    "en", "fr", "es", "pt", "it", "de", "sv", "nb", "da", "nl", "la",
    "pl", "tr", "fi", "vi", "id", "ru", "zh", "ja", "ko", "hu", "ro"};

std::size_t index_of(std::string_view language) {
  return static_cast<std::size_t>(std::find(kLanguages.begin(), kLanguages.end(), language) -
                                  kLanguages.begin());
}

// Function words, and what prompts for written text are made of. A word that is common in two
// languages stands in both.
const std::unordered_map<std::string_view, std::vector<std::size_t>>& words() {
  static const std::unordered_map<std::string_view, std::vector<std::size_t>> map = [] {
    const std::vector<std::pair<std::string_view, std::string_view>> lists = {
        {"en",
         "the an and of with that says say saying reads reading on in is are you your my this from "
         "to for at by it "
         "her his their our shop club team today totally no not we they who what sign shirt poster "
         "mug text word words "
         "wall above below over under front big little red blue white black up off out all be so "
         "go get"},
        {"fr",
         "le la les un une des du au aux et est dans sur sous pour qui que avec dit mon ma mes ton "
         "ta tes son sa ses "
         "je tu il elle nous vous ne pas en de ce cette ces mot texte tasse néon bois rue pluie "
         "mur panneau enseigne "
         "affiche blanc noir rouge train bière café très alors où train fenêtre"},
        {"es",
         "el la los las un una unos unas y en de del con que por para es son mi tu su al lo dice "
         "texto frase cartel "
         "calle camiseta blanca taza madera letrero pared sobre pero muy blanco rojo azul verde "
         "leche oso gato perro "
         "café pan vino casa día feliz toro"},
        {"pt",
         "o os as um uma uns umas e em de do da dos das no na com que por para é são meu minha seu "
         "sua ao não diz "
         "texto frase placa rua camiseta branca xícara madeira letreiro parede sobre mais muito "
         "branco preto café pão"},
        {"it",
         "il lo gli uno una di del della dei delle e in con che per è sono mio mia suo sua dice "
         "testo scritta cartello "
         "strada maglietta bianca tazza legno muro sopra ma molto bianco rosso vino pane"},
        {"de",
         "der die das den dem des ein eine einen einem einer und mit auf über im in ist sind nicht "
         "für von zu zum zur "
         "ich du er sie wir ihr mein dein text aufschrift steht darauf weißes holzschild tasse "
         "wand schild schrift "
         "gute guter gutes nach bei aus hund bahnhof straße fahrt"},
        {"sv",
         "och på en ett det som är av för med till den de att inte jag du han hon vi kön text "
         "skylt vägg nu kaffe "
         "slutet"},
        {"nb",
         "og på en et det som er av for med til den de å ikke jeg du han hun vi ei kjør grense"},
        {"da",
         "og på en et det som er af for med til den de at ikke jeg du han hun vi kontrol grænse"},
        {"nl",
         "het een de van en met op in is zijn niet voor te dat wie mijn jouw bord tekst muur "
         "koffie kok au"},
        {"la",
         "cum laude magna summa et in ad per sine pro deo veni vidi vici carpe diem ergo sum est "
         "non gloria"},
        {"pl", "i w z na do nie się jest to co jak za od po napis"},
        {"tr", "ve bir bu için ile çok değil yok var"},
        {"fi", "ja on ei se että hän mutta kun niin"},
        {"vi", "và của là có không được người một phở bún quán nhà cà phê phúc"},
        {"id", "dan yang di ke dari untuk dengan ini itu tidak"},
    };
    std::unordered_map<std::string_view, std::vector<std::size_t>> result;
    for (const auto& [language, list] : lists) {
      for (std::size_t start = 0; start < list.size();) {
        const std::size_t end = std::min(list.find(' ', start), list.size());
        if (end > start) result[list.substr(start, end - start)].push_back(index_of(language));
        start = end + 1;
      }
    }
    return result;
  }();
  return map;
}

// Letters that few languages have.
std::vector<std::string_view> letter_languages(char32_t c) {
  switch (c) {
    case U'ß':
      return {"de"};
    case U'ä':
    case U'ö':
      return {"de", "sv", "fi"};
    case U'ü':
      return {"de", "tr"};
    case U'å':
      return {"sv", "nb", "da"};
    case U'ø':
    case U'æ':
      return {"nb", "da"};
    case U'ñ':
    case U'¿':
    case U'¡':
      return {"es"};
    case U'ã':
    case U'õ':
      return {"pt"};
    case U'ç':
      return {"fr", "pt"};
    case U'ê':
    case U'è':
    case U'ù':
    case U'î':
    case U'û':
    case U'œ':
      return {"fr"};
    case U'é':
      return {"fr", "es", "pt"};
    case U'á':
    case U'í':
    case U'ó':
    case U'ú':
      return {"es", "pt"};
    default:
      break;
  }
  if (c >= 0x400 && c <= 0x52F) return {"ru"};
  if (c >= 0x3040 && c <= 0x30FF) return {"ja"};
  if (c >= 0xAC00 && c <= 0xD7A3) return {"ko"};
  if (c >= 0x4E00 && c <= 0x9FFF) return {"zh"};
  if (c >= 0x1EA0 && c <= 0x1EF9) return {"vi"};
  return {};
}

}  // namespace

bool Languages::has(std::string_view language) const {
  const std::size_t index = index_of(language);
  return index < kCount && counts_[index] > 0;
}

std::string_view Languages::main() const {
  const auto most = std::max_element(counts_.begin(), counts_.end());
  if (*most == 0 || std::count(counts_.begin(), counts_.end(), *most) > 1) return {};
  return kLanguages[static_cast<std::size_t>(most - counts_.begin())];
}

void LanguageIndex::build() const {
  Languages seen;
  std::string word;
  std::vector<std::string_view> by_letters;
  std::size_t start = 0;
  const auto finish = [&](std::size_t end) {
    if (!word.empty()) {
      words_.push_back({start, end, seen});
      const auto it = words().find(word);
      if (it != words().end()) {
        for (const std::size_t language : it->second) ++seen.counts_[language];
      } else {
        for (const std::string_view language : by_letters) ++seen.counts_[index_of(language)];
      }
    }
    word.clear();
    by_letters.clear();
  };
  for (std::size_t offset = 0; offset < text_.size();) {
    const std::size_t at = offset;
    char32_t c = decode(text_, offset);
    if (c >= U'A' && c <= U'Z') c += 32;
    if (c >= U'À' && c <= U'Þ' && c != U'×') c += 32;
    if (!is_letter(c)) {
      finish(at);
      continue;
    }
    if (word.empty()) start = at;
    if (word.size() >= 48) continue;
    if (c < 0x80) {
      word += static_cast<char>(c);
    } else {
      word += encode(std::u32string_view(&c, 1));
      if (by_letters.empty()) by_letters = letter_languages(c);
    }
  }
  finish(text_.size());
  words_.push_back({text_.size(), text_.size(), seen});
}

Languages LanguageIndex::all() const {
  if (words_.empty()) build();
  return words_.back().before;
}

// The words that lie in [start, end) whole.
Languages LanguageIndex::between(std::size_t start, std::size_t end) const {
  Languages result;
  const auto first =
      std::lower_bound(words_.begin(), words_.end() - 1, start,
                       [](const Word& word, std::size_t at) { return word.start < at; });
  const auto last = std::upper_bound(
      first, words_.end() - 1, end, [](std::size_t at, const Word& word) { return at < word.end; });
  for (std::size_t i = 0; i < Languages::kCount; ++i)
    result.counts_[i] = last->before.counts_[i] - first->before.counts_[i];
  return result;
}

Languages LanguageIndex::near(std::size_t start, std::size_t end, std::size_t clip_start,
                              std::size_t clip_end) const {
  constexpr std::size_t kNear = 200;
  if (words_.empty()) build();
  Languages result;
  const std::size_t from = std::max(clip_start, start - std::min(start, kNear));
  const std::size_t to = std::min(clip_end, end + kNear);
  if (from < start) result = between(from, start);
  if (end < to) {
    const Languages after = between(end, to);
    for (std::size_t i = 0; i < Languages::kCount; ++i) result.counts_[i] += after.counts_[i];
  }
  return result;
}

bool is_name_before(std::string_view word) {
  static const Set names = {
      "mr",          "mrs",      "ms",     "miss",      "mx",        "dr",       "sir",
      "lady",        "lord",     "dame",   "prof",      "professor", "captain",  "capt",
      "sgt",         "sergeant", "judge",  "senator",   "president", "coach",    "chef",
      "uncle",       "aunt",     "auntie", "grandpa",   "father",    "sister",   "brother",
      "st",          "saint",    "andy",   "john",      "jack",      "james",    "jim",
      "jimmy",       "joe",      "joseph", "bob",       "bobby",     "robert",   "rob",
      "bill",        "billy",    "will",   "william",   "tom",       "tommy",    "thomas",
      "peter",       "pete",     "paul",   "mary",      "mark",      "luke",     "anna",
      "anne",        "ann",      "jane",   "janet",     "joan",      "susan",    "sue",
      "kate",        "kathy",    "karen",  "lisa",      "laura",     "sarah",    "sara",
      "emily",       "emma",     "alice",  "amy",       "george",    "harry",    "henry",
      "charles",     "charlie",  "david",  "dave",      "daniel",    "dan",      "danny",
      "michael",     "steve",    "steven", "stephen",   "richard",   "rick",     "ricky",
      "sam",         "samuel",   "ben",    "benjamin",  "adam",      "alan",     "alex",
      "alexander",   "albert",   "arthur", "brian",     "carl",      "carol",    "chris",
      "christopher", "craig",    "dennis", "donald",    "don",       "doug",     "douglas",
      "edward",      "ed",       "eddie",  "eric",      "frank",     "fred",     "gary",
      "gene",        "gerald",   "graham", "greg",      "gordon",    "howard",   "ian",
      "ivan",        "jason",    "jeff",   "jeffrey",   "jerry",     "kevin",    "keith",
      "ken",         "kenneth",  "larry",  "lee",       "louis",     "martin",   "matt",
      "matthew",     "max",      "nancy",  "nick",      "nicholas",  "oliver",   "oscar",
      "pat",         "patrick",  "phil",   "philip",    "ralph",     "ray",      "raymond",
      "roger",       "ron",      "ronald", "roy",       "russell",   "ruth",     "ryan",
      "sally",       "scott",    "sean",   "shaun",     "simon",     "stan",     "stanley",
      "stuart",      "ted",      "terry",  "tim",       "timothy",   "tony",     "victor",
      "walter",      "warren",   "wayne",  "maria",     "marie",     "linda",    "barbara",
      "betty",       "dorothy",  "helen",  "elizabeth", "jennifer",  "jessica",  "julie",
      "julia",       "alfred",   "herbie", "grover",    "moby",      "van",      "von",
      "de",          "philippe", "jean",   "kurt",      "hans",      "rupert",   "rev",
      "reverend",    "bishop",   "king",   "queen",     "prince",    "princess", "duke",
      "earl",        "baron",    "major",  "colonel",   "general",   "admiral"};
  return names.contains(word);
}

bool is_name_after(std::string_view word) {
  static const Set names = {
      "road",     "rd",        "street",     "st",       "avenue",  "ave",     "lane",
      "drive",    "boulevard", "blvd",       "creek",    "river",   "lake",    "hill",
      "hills",    "park",      "farm",       "farms",    "county",  "city",    "bridge",
      "valley",   "island",    "bay",        "point",    "house",   "hall",    "school",
      "college",  "family",    "brothers",   "bros",     "sons",    "museum",  "theatre",
      "theater",  "station",   "square",     "castle",   "village", "church",  "abbey",
      "mountain", "mount",     "falls",      "beach",    "harbor",  "harbour", "arms",
      "inn",      "hotel",     "solicitors", "bakery",   "garage",  "motors",  "pharmacy",
      "plumbing", "railway",   "associates", "festival", "winery",  "inc",     "ltd",
      "llc",      "furniture", "winery",     "vineyard"};
  return names.contains(word);
}

bool is_spelling_word(std::string_view word) {
  static const Set names = {"alfa",    "alpha",  "bravo",  "charlie",  "delta",   "echo",
                            "foxtrot", "golf",   "hotel",  "india",    "juliet",  "juliett",
                            "kilo",    "lima",   "mike",   "november", "oscar",   "papa",
                            "quebec",  "romeo",  "sierra", "tango",    "uniform", "victor",
                            "whiskey", "whisky", "xray",   "yankee",   "zulu"};
  return names.contains(word);
}

}  // namespace glyphward::lexicon
