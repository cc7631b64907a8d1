// Extraction over sets of prompts that are made here, always the same: short ones as in
// GlyphControl's benchmarks, long ones as in LongText's, and hostile ones for the time they take.
#include <gtest/gtest.h>
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "lexicon/text/extraction.h"

namespace glyphward::lexicon {
namespace {

using Texts = std::vector<std::string>;

// What is to be drawn: words that a sign may have, some with signs in them.
const Texts kTexts = {"Open",           "Fresh Bread",       "Mind the gap", "Don't panic",
                      "Soup & Salad",   "50% off",           "Est. 1952",    "HAPPY BIRTHDAY",
                      "Rock 'n' Roll",  "Room 12, floor 3",  "Coffee first", "Joe's Garage",
                      "Why not?",       "Go, go, go!",       "No. 7",        "Café Olé",
                      "24/7",           "To be continued",   "Sale: shoes",  "Grand Hotel",
                      "Wet paint",      "Hello (again)",     "Track #9",     "Sun - Sea - Sand",
                      "The End",        "Made in Italy",     "love",         "Second Hand Books",
                      "Caution! Steps", "www.kiosk.example", "Über uns",     "Ice cold lemonade"};
const Texts kQuotes = {"\"{}\"", "“{}”",       "«{}»",     "「{}」",    "„{}“",
                       "`{}`",   "\"\"{}\"\"", "\"“{}”\"", "\\\"{}\\\""};

const Texts kShort = {"a sign that says {}",
                      "a storefront with {} written on it",
                      "a mug with the words {} in blue letters",
                      "studio shot of a cake with the text {} on top",
                      "a robot holding a banner, {}, in a park",
                      "a book cover titled {}, minimal",
                      "newspaper with the headline {}",
                      "graffiti {} on a brick wall",
                      "{} painted on the side of a van",
                      "a close up of a label reading: {}",
                      "flowers in a garden forming the word {}",
                      "a photo of a panda, {} on its t-shirt",
                      "logo design, company name {}, vector",
                      "a cat saying {} in a speech bubble",
                      "poster, text: {}, art deco",
                      "the word {} carved into a tree, evening sun"};

const Texts kPlain = {"a sign that says {} on a wall",
                      "a billboard reading {}, night",
                      "a hoodie saying {}, studio light",
                      "a banner with the words {}",
                      "a jar labelled {} on a shelf",
                      "a cake with {} written on it",
                      "un cartel que dice {} sobre una mesa",
                      "ein Schild mit der Aufschrift {}",
                      "табличка с надписью {}",
                      "木牌上写着{}，夜晚"};
const Texts kPlainTexts = {"grand opening", "stay cool", "plum jam", "never mind", "free hugs",
                           "bon appetit",   "wild oats", "lost dog", "Late Show",  "QUIET PLEASE"};

// Sentences about a picture in which nothing is written.
const Texts kScene = {
    "Warm light spills onto the wet cobblestones, and a woman reading a novel sits by the window.",
    "The lighting is soft, with long shadows and a shallow depth of field.",
    "In the background a river runs past old houses; people are walking along the bank.",
    "The color palette is muted: sage green, cream and terracotta.",
    "A scientist is showing a test tube to a student while a clock ticks.",
    "Bold typography and a clean layout give it a modern, elegant look.",
    "Shot on 35mm film, f/2.8, ISO 400, with visible grain.",
    "The letters have a subtle drop shadow and are easy to read.",
    "Merchants are announcing their goods, and banners flutter in the wind.",
    "It is rendered in the style of a Japanese woodblock print, in high detail.",
    "There is plenty of white space around the title and the logo.",
    "A dog sleeps next to a table with a cup of tea, a map and three keys.",
    "Steam rises from a bowl; the texture of the paper is visible.",
    "The overall mood is calm, nostalgic and slightly surreal.",
    "Her name tag is out of focus, and her jacket is embroidered with small roses."};
const Texts kAsks = {"Above the door hangs a wooden sign that reads {} in gold script.",
                     "At the top, in bold uppercase letters, the title {} is displayed.",
                     "A chalkboard by the entrance says {}.",
                     "Below it, a smaller subtitle reads {} in a thin serif font.",
                     "A label on the side of the machine bears the words {}.",
                     "The girl in the first panel says: {}",
                     "A banner across the street shows the slogan {}.",
                     "Text overlay at the bottom: {}",
                     "On the front, write {} in pink balloon letters.",
                     "The neon sign in the window glows with the phrase {}."};

class Maker {
 public:
  const std::string& pick(const Texts& from) { return from[random_() % from.size()]; }
  std::size_t below(std::size_t count) { return random_() % count; }

  static std::string filled(std::string pattern, const std::string& text) {
    return pattern.replace(pattern.find("{}"), 2, text);
  }
  std::string quoted(const std::string& text) { return filled(pick(kQuotes), text); }

 private:
  std::mt19937 random_{20261130};
};

Texts shown(const std::string& prompt) {
  Texts result;
  for (const RenderedText& text : extract(prompt).texts) {
    if (text.certainty != Certainty::Described) result.push_back(text.text);
  }
  return result;
}

struct Score {
  int exact = 0;
  int extra = 0;  // prompts with a text that nobody asked for
  int prompts = 0;

  void add(const std::string& prompt, const Texts& expected) {
    const Texts found = shown(prompt);
    const bool wrong = std::any_of(found.begin(), found.end(), [&](const std::string& text) {
      return std::find(expected.begin(), expected.end(), text) == expected.end();
    });
    ++prompts;
    exact += found == expected ? 1 : 0;
    extra += wrong ? 1 : 0;
    if (found == expected || ++printed_ > 10) return;
    std::printf("%s\n", prompt.c_str());
    for (const std::string& text : found) std::printf("    found '%s'\n", text.c_str());
  }

 private:
  int printed_ = 0;
};

TEST(ExtractionSets, ShortPromptsAreReadExactly) {
  Maker maker;
  Score score;
  for (int i = 0; i < 4000; ++i) {
    const std::string& text = maker.pick(kTexts);
    score.add(Maker::filled(maker.pick(kShort), maker.quoted(text)), {text});
  }
  std::printf("%d of %d short prompts exact\n", score.exact, score.prompts);
  EXPECT_GE(score.exact, score.prompts * 99 / 100);
}

TEST(ExtractionSets, TextsWithoutMarksAreReadExactly) {
  Maker maker;
  Score score;
  for (int i = 0; i < 1000; ++i) {
    const std::string& text = maker.pick(kPlainTexts);
    score.add(Maker::filled(maker.pick(kPlain), text), {text});
  }
  std::printf("%d of %d prompts without marks exact\n", score.exact, score.prompts);
  EXPECT_GE(score.exact, score.prompts * 99 / 100);
}

TEST(ExtractionSets, LongPromptsAreReadExactlyAndGetNoOtherText) {
  Maker maker;
  Score score;
  for (int i = 0; i < 3000; ++i) {
    std::string prompt = "A detailed photograph of a small town on a market day.";
    Texts expected;
    const std::string& quotes = maker.pick(kQuotes);
    const std::size_t sentences = 4 + maker.below(6);
    for (std::size_t k = 0; k < sentences; ++k) {
      prompt += ' ';
      if (maker.below(3) != 0) {
        prompt += maker.pick(kScene);
        continue;
      }
      expected.push_back(maker.pick(kTexts));
      prompt += Maker::filled(maker.pick(kAsks), Maker::filled(quotes, expected.back()));
    }
    score.add(prompt, expected);
  }
  std::printf("%d of %d long prompts exact, %d with another text\n", score.exact, score.prompts,
              score.extra);
  EXPECT_GE(score.exact, score.prompts * 99 / 100);
  EXPECT_LE(score.extra, score.prompts * 5 / 100);
}

// Scenes with verbs, halves and names that lead to a text elsewhere.
const Texts kNothingDrawn = {
    "An old craftsman carving a walrus into a block of ice, warm workshop light, shavings on "
    "the floor, a cat asleep by the stove",
    "A woman stitching silver thread onto a velvet gown, candle light, baroque room, shallow "
    "depth of field",
    "Carve delicate roses into the lid of a wooden chest, macro photo, soft window light, "
    "dust in the air",
    "A choir singing hymns in a gothic cathedral, light falls through stained glass, incense "
    "in the air",
    "A coach shouting at his players during the first half of the match, rain, floodlights, "
    "muddy pitch",
    "The first half of the match is over, tired players walk to the tunnel, the second half "
    "is about to begin",
    "A crowd chanting in a packed stadium, red flares, smoke, a drone shot at night",
    "Fans scream with joy as the band enters the stage, confetti, purple light, wide angle",
    "A golf course in India at dusk, a hotel in the background, palm trees, a kilo of oranges "
    "on a cart",
    "Romeo and Juliet on a balcony in Verona, moonlight, oil painting, roses climb the wall",
    "Mike, Oscar and Victor play golf near a hotel in Quebec, autumn leaves, vintage photo",
    "A dancer in a tango pose, a man in a grey uniform watches her, sierra mountains behind "
    "the window, whiskey glasses on a table",
    "Paint flowers along the edge of a porcelain vase, studio light, blue and white glaze",
    "A split composition, the left half is dark and stormy, the right half is bright and "
    "calm, a lone tree in the middle",
    "A diptych of a forest: the first panel shows summer, the second panel shows winter, same "
    "tree, same angle",
    "Two girls on a bench, the first reads quietly, the second looks at the sea, gulls "
    "overhead",
    "Two dogs, one is black and the other is white, running over a meadow in the morning mist",
    "A tattoo artist in a small studio in Lisbon, a client on the chair, neon light from the "
    "street, film grain",
    "Wood carving tools on a workbench in a sunlit shed, hammer, mallet, curls of pine",
    "A carving knife on a wooden board beside a roast turkey, autumn table, candles",
    "A painting of ships on a stormy sea, heavy gold frame, museum wall, visitors in coats",
    "A boy scratching his head in a messy room, books everywhere, morning light",
    "A cat scratching the bark of a birch, green bokeh, close up",
    "An engraving of a whale on yellowed paper, fine lines, cross hatching, 19th century",
    "A spray of lavender across a linen napkin, rustic table, soft shadows",
    "A street artist spraying paint on a wall in Berlin, mask, cans, colours drip down",
    "Spray of water on the bow of a boat, sun flares, telephoto lens",
    "A robot whispering to a child in a garden, lanterns, watercolor, gentle colours",
    "A wolf howling on a ridge under a full moon, snow, long exposure",
    "A merchant shouting prices in a bazaar in Cairo, spices, brass lamps, crowded alley",
    "A tailor sewing buttons onto a coat, chalk dust on his sleeves, warm lamp",
    "A child drawing stars on the pavement, summer evening, long shadows, film look",
    "Someone has drawn hearts in the sand, the tide comes in, aerial view",
    "A baker piping cream onto a cake, flour in the air, kitchen, morning",
    "A mural of a tiger on the side of a brewery, street, parked bicycles",
    "Letters from a soldier on a desk, an inkwell, a candle, a faded photograph",
    "A radio operator in a bunker, headphones, dials, maps on the table, green glow, CRT, "
    "1943",
    "NASA engineers in a clean room, a satellite under bright lamps, LED panels, CAD drawings",
    "A portrait of a DJ, RGB light, 85mm, HDR, bokeh, smoke on the floor, high contrast",
    "A football match, the first half in sunshine, the second half in heavy rain, split "
    "screen, dramatic sky",
    "Ein Schnitzer schnitzt einen Bären in einen Baumstamm, Späne fliegen, Abendlicht im "
    "Wald",
    "Male Blumen an die Wand eines alten Bauernhauses, Sommer, blauer Himmel, Katze auf der "
    "Bank",
    "Eine Frau ruft ihren Hund im Park, Herbstlaub, weiches Licht, geringe Schärfentiefe",
    "Die erste Hälfte ist dunkel, die zweite Hälfte ist hell, ein Leuchtturm in der Mitte, "
    "Ölgemälde",
    "Un homme crie dans la rue sous la pluie, lumière de néon, photo de nuit, grain de film",
    "Une femme brode des fleurs sur une nappe blanche, lumière du matin, vieille ferme",
    "Un hombre grita en la calle bajo la lluvia, luces de la ciudad, película antigua",
    "La primera mitad del partido bajo el sol, la segunda bajo la lluvia, estadio lleno, "
    "vista aérea",
    "Una donna ricama fiori su una tovaglia bianca, luce del mattino, cucina di campagna",
    "Мужчина кричит на улице под дождём, ночной "
    "город, отражения в лужах",
    "Женщина вышивает цветы на белой скатерти, "
    "утренний свет, старая изба",
    "De eerste helft is donker en de tweede helft is licht, een molen in het midden, olieverf",
    "Dzieci śpiewają w ogrodzie, letni wieczór, lampiony na drzewach, miękkie światło",
    "A bride and a groom sign the guest book, the initials of the couple embroidered in gold "
    "on the napkins, roses",
    "A monogram of two swans on a satin pillow, a letter opener, silver tray, afternoon light",
    "A squadron of jets, call sign painted on the nose, alpha wing in front, delta formation, "
    "blue sky",
    "An echo chamber with foam walls, a lima bean on a plate, surreal still life, november "
    "light",
    "A sculptor chiseling marble into a statue of a lion, dust, studio, light from above",
    "A woman knitting wool into a scarf by the fire, snow outside, cosy cabin",
    "A fisherman shouting across the harbour, gulls, nets, early fog, documentary style, 35mm",
    "A protest march in Paris, people yelling and waving, smoke, drums, long lens, grey sky",
    "Write a letter by candle light, an old man at a desk, quill, rain on the window",
    "Cut oranges on a board, top view, the first slice thick, the second thin, bright kitchen",
    "Two cards on a table, the first shows a queen, the second a king, green felt, casino "
    "light",
    "A pair of mittens, the left red, the right blue, hung on a line in the snow",
    "A row of doors, the first is open and the second is closed, long corridor, film noir",
    "Put oranges in a bowl, place the bowl on a table next to a window, dutch still life",
    "Two signs in a field, one pointing left, the other right, big sky, dusk",
    "Two posters on a wall, the first torn, the second faded, harsh sun, peeling paint",
    "A board with two halves, the left green, the right covered in maps, classroom, 1970s"};

TEST(ExtractionSets, ScenesWithCarversSingersAndHalvesHaveNoText) {
  for (const std::string& prompt : kNothingDrawn) EXPECT_EQ(shown(prompt), Texts{}) << prompt;
}

// ----- time -----

std::string repeated(const std::string& pattern, std::size_t size) {
  std::string prompt;
  while (prompt.size() < size) prompt += pattern;
  return prompt;
}

double processor_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// The fastest of a few runs: what else the machine does only makes a run slower.
double fastest_ms(const std::string& prompt) {
  double best = 1e9;
  for (int run = 0; run < 4; ++run) {
    const double start = processor_ms();
    extract(prompt);
    best = std::min(best, processor_ms() - start);
  }
  return best;
}

TEST(ExtractionSets, TimeGrowsWithThePromptAndNoFaster) {
  // Memory stays with the process: giving pages back and forth would be most of what is measured.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  extract(repeated("a\"b, ", 400000));
  for (const char* pattern : {"\"",
                              "'",
                              "says ",
                              "says \"a\" ",
                              "\"'ab `",
                              "a\"b",
                              "the words ",
                              "text: ",
                              "word word: a ",
                              "(",
                              "((a:1.2) ",
                              "{\"",
                              "{a:",
                              "[{\"text\":",
                              "*a ",
                              "**",
                              "with and written on ",
                              "F, U, ",
                              "a, ",
                              "\\\"",
                              "&quot;",
                              "<lora:",
                              "%20",
                              "says the boys' ",
                              "A1 x ",
                              "X sign ",
                              "写着",
                              "に",
                              "with X on it ",
                              "a / ",
                              "sign: ",
                              "{\"text\": {",
                              "“",
                              "«a» ",
                              "write x on ",
                              "carve x into the y ",
                              "carve ",
                              "carve STOP onto the wall ",
                              "a crowd shouting ",
                              "the first is x ",
                              "one says x and the other ",
                              "FIRST SAYS X ",
                              "SIGN: FIRST IS X ",
                              "SAYS X ON A ",
                              "november ",
                              "sihgn taht syas ",
                              "。",
                              "\n"}) {
    const double short_ms = fastest_ms(repeated(pattern, 25000));
    const double long_ms = fastest_ms(repeated(pattern, 200000));
    // Eight times the prompt; three times that for caches. What is quadratic takes 64 times as
    // long.
    EXPECT_LE(long_ms, short_ms * 24 + 1)
        << pattern << ": " << short_ms << " ms, then " << long_ms << " ms";
  }
}

}  // namespace
}  // namespace glyphward::lexicon
