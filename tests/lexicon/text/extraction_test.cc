#include "lexicon/text/extraction.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace glyphward::lexicon {
namespace {

using Texts = std::vector<std::string>;

struct Case {
  const char* prompt;
  Texts expected;
};

Texts texts(std::string_view prompt, Syntax syntax = Syntax::Plain) {
  Texts result;
  for (const RenderedText& text : extract(prompt, syntax).texts) {
    if (text.origins.empty()) {
      EXPECT_EQ(text.text, prompt.substr(text.start, text.end - text.start));
    } else {
      EXPECT_EQ(text.origins.size(), text.text.size());
    }
    if (text.certainty != Certainty::Described) result.push_back(text.text);
  }
  return result;
}

void expect_texts(const std::vector<Case>& cases, Syntax syntax = Syntax::Plain) {
  for (const Case& c : cases) EXPECT_EQ(texts(c.prompt, syntax), c.expected) << c.prompt;
}

TEST(Extraction, FindsWhatStandsBetweenMarks) {
  expect_texts({
      {"a sign that says \"hello\" at dusk", {"hello"}},
      {"a mug with “good morning” on it", {"good morning"}},
      {"a mug, the mug says 'good day', morning", {"good day"}},
      {"banner ‘it’s fine’ on a wall", {"it’s fine"}},
      {"banner 'it's fine' on a wall", {"it's fine"}},
      {"a door that says 'Don't knock, we're asleep'", {"Don't knock, we're asleep"}},
      {"logo `kiosk`", {"kiosk"}},
      {"enseigne « Pain frais » au soleil", {"Pain frais"}},
      {"Schild »Brot« am Haus", {"Brot"}},
      {"Schild „Brot“ am Haus", {"Brot"}},
      {"看板「営業中」と『閉店』", {"営業中", "閉店"}},
      {"간판에 '환영'라고", {"환영"}},
      {"שלט עם הכיתוב ״שלום״", {"שלום"}},
      {"a board ⟪tea⟫ and ❮cake❯", {"tea", "cake"}},
      {"one mug says \"tea\", the other \"milk\"", {"tea", "milk"}},
      {"a book called \"the 'big' one\"", {"the 'big' one"}},
      {"a list: \"eggs\nmilk\"", {"eggs\nmilk"}},
      {"墙上的海报写着“开放日\" 和 \"欢迎\"", {"开放日", "欢迎"}},
  });
}

TEST(Extraction, TakesRunsOfMarksAndEscapedOnes) {
  expect_texts({
      {"a chalkboard reading \"\"Soup today\"\", bistro", {"Soup today"}},
      {"a card that says ''GOOD LUCK''", {"GOOD LUCK"}},
      {"a mug printed with '''Monday again''' in teal", {"Monday again"}},
      {"```hello``` on a banner", {"hello"}},
      {"a jar with the label \\\"Sea Salt\\\" on a shelf", {"Sea Salt"}},
      {"a flag that says \"“Ahoy”\"", {"Ahoy"}},
      {"a sign with \"\" on it", {}},
      {"a sign that says \"cu\"te\"", {"cu\"te"}},
      {"a red sign that says “wh″ale”", {"wh″ale"}},
  });
}

TEST(Extraction, TellsMarksFromApostrophesAndInches) {
  expect_texts({
      {"the dogs' bowl isn't full", {}},
      {"a 5\" screen on a desk", {}},
      {"a 24\"x36\" poster frame", {}},
      {"a 12\" record with \"Side A\" on the label", {"Side A"}},
      {"a '90s poster with 'RAVE' on it", {"RAVE"}},
      {"a t-shirt that says rock 'n' roll on the front", {"rock 'n' roll"}},
      {"a sign that says \"hello there", {"hello there"}},
  });
}

TEST(Extraction, DecodesWhatIsWrittenInEntitiesAndPercentSigns) {
  expect_texts({
      {"a sign that says &quot;Mum &amp; Dad&quot;", {"Mum & Dad"}},
      {"poster &ldquo;Jazz&rdquo; in gold", {"Jazz"}},
      {"a sign that says \"caf&#233; &#x41;\"", {"café A"}},
      {"a%20sign%20that%20says%20%22OPEN%22", {"OPEN"}},
      {"a mug that says \"50%20\"", {"50%20"}},
  });
}

TEST(Extraction, TakesEmphasisAndBracketsBehindACue) {
  expect_texts({
      {"a bag that says *be kind*", {"be kind"}},
      {"a bag that says __be kind__, linen", {"be kind"}},
      {"a sign that says **OPEN** in neon", {"OPEN"}},
      {"a door sign with text [PRIVATE]", {"PRIVATE"}},
      {"a bus stop sign reading <Main St>", {"Main St"}},
      {"a sign that says (((open))), masterpiece", {"open"}},
      {"a sign with the text {open|closed}, masterpiece", {"open", "closed"}},
      {"(a sign that says \"OPEN\":1.3), (masterpiece:1.2)", {"OPEN"}},
      {"(masterpiece:1.2), **bold colours**, _soft light_", {}},
  });
}

TEST(Extraction, ReadsJson) {
  expect_texts({
      {R"({"scene":"poster","text":"say \"HELLO\" now"})", {"say \"HELLO\" now"}},
      {R"({"elements":[{"type":"sign","text":"Bakery"},{"type":"banner","text":"Now Open"}]})",
       {"Bakery", "Now Open"}},
      {R"({"prompt":"a cat holding a sign that says \"Feed me\"","seed":4})", {"Feed me"}},
      {R"(a retro poster {"headline": "Fly to Mars", "font": "serif"} with rockets)",
       {"Fly to Mars"}},
      {"{'title': 'Big Sale', 'background_color': 'red'}", {"Big Sale"}},
      {R"({"caption": "a woman reading a book", "text_color": "red", "fontName": "Arial"})", {}},
      {R"({"text": {"content": "Ol\u00e9", "style": "bold"}, "topText": ["ONE", "TWO"]})",
       {"Olé", "ONE", "TWO"}},
      {R"({"text": "never closed)", {"text", "never closed"}},
  });
}

TEST(Extraction, ReadsLinesOfKeysAndValues) {
  expect_texts({
      {"text: OPEN\nfont: bold serif\nbackground: brick", {"OPEN"}},
      {"Title: Night Market, all week\nSubtitle: Fridays\nStyle: vintage",
       {"Night Market, all week", "Fridays"}},
      {"poster, caption: see you soon", {"see you soon"}},
      {"a street with a speech bubble: watch out!", {"watch out!"}},
      {"sign over the door: Fox & Sons", {"Fox & Sons"}},
      {"a poster for the city: a yellow tram climbs a hill", {}},
  });
}

TEST(Extraction, FindsTextsWithoutMarks) {
  expect_texts({
      {"neon sign — hello", {"hello"}},
      {"sign - good day", {"good day"}},
      {"neon sign — a rainy street", {}},
      {"a sign - rain falls on it all day", {}},
      {"a mug with the number 42 on it", {"42"}},
      {"a billboard that says grand opening", {"grand opening"}},
      {"a hoodie saying stay cool, studio light", {"stay cool"}},
      {"a jar labelled plum jam on a shelf", {"plum jam"}},
      {"a placemat with the words bon appetit", {"bon appetit"}},
      {"a wall reading in big red letters never mind", {"never mind"}},
      {"a hoodie saying another day, studio light", {"another day"}},
      {"a hoodie saying white noise, studio light", {"white noise"}},
      {"balloons forming the word hooray", {"hooray"}},
      {"a sign that says à la carteà", {"à la carteà"}},
      {"a plaque that reads Est. 1887, brass", {"Est. 1887"}},
      {"a sign that says I am made of sugar", {"I am made of sugar"}},
      {"a tombstone engraved with Here lies Bob", {"Here lies Bob"}},
      {"a cap with the initials J.D.", {"J.D."}},
      {"a keychain engraved Emma", {"Emma"}},
      {"a cake with happy birthday written on it", {"happy birthday"}},
      {"I miss you written in the sand", {"I miss you"}},
      {"write happy birthday on the cake", {"happy birthday"}},
      {"put the word LOVE on the wall", {"LOVE"}},
      {"a startup called Lumen Labs, logo on white", {"Lumen Labs"}},
      {"a sign that says hi AND a dog :1.2", {"hi"}},
      {"a sign that says hi --ar 16:9", {"hi"}},
      {"a banner that says STOP! in the rain", {"STOP!"}},
  });
}

TEST(Extraction, FindsCapitalsBesideWhatBearsText) {
  expect_texts({
      {"storefront, neon sign OPEN, night", {"OPEN"}},
      {"a mug with BEST DAD on the side, white background", {"BEST DAD"}},
      {"graffiti FREEDOM on a brick wall", {"FREEDOM"}},
      {"a GRAND OPENING banner above a shop", {"GRAND OPENING"}},
      {"a protest crowd holding placards: FREE THE BEES / SAVE THE TREES",
       {"FREE THE BEES / SAVE THE TREES"}},
      {"a meme, top text WHEN YOU WAKE UP, bottom text IT IS MONDAY",
       {"WHEN YOU WAKE UP", "IT IS MONDAY"}},
      {"two cards, one with SUN, one with SET", {"SUN", "SET"}},
      {"an open book, the left page shows KIT, the right page E", {"KIT", "E"}},
      {"a bus with the destination ZOO on its display", {"ZOO"}},
      {"a wooden sign, 4K, HDR, DSLR photo", {}},
      {"A RED CAR BESIDE A SIGN", {}},
  });
}

TEST(Extraction, FindsLettersPutApart) {
  expect_texts({
      {"balloons spelling out F, U, N, party", {"F, U, N"}},
      {"wooden letter blocks F-U-N on a shelf", {"F-U-N"}},
      {"cookies with the letters J, O and Y", {"J, O and Y"}},
      {"fridge magnets D + I + C + E", {"D + I + C + E"}},
      {"shells on the beach, f-u-n-k", {"f-u-n-k"}},
      {"letters made of clouds: h e l l o", {"h e l l o"}},
      {"paint the letters C then A then T on a fence", {"C then A then T"}},
  });
}

TEST(Extraction, KnowsVerbsOfWritingInManyLanguages) {
  expect_texts({
      {"un cartel que dice pan fresco sobre una mesa", {"pan fresco"}},
      {"una taza con la frase buenos días", {"buenos días"}},
      {"un panneau qui dit pain frais", {"pain frais"}},
      {"une affiche où il est écrit Bonne année, style rétro", {"Bonne année"}},
      {"ein Schild mit der Aufschrift frisches Brot", {"frisches Brot"}},
      {"ein Plakat, auf dem Freiheit steht", {"Freiheit"}},
      {"uma placa que diz bem-vindos", {"bem-vindos"}},
      {"una maglietta con scritto Ciao Bella", {"Ciao Bella"}},
      {"een mok met de tekst Goedemorgen", {"Goedemorgen"}},
      {"en skylt där det står Välkommen", {"Välkommen"}},
      {"koszulka z napisem Kocham kawę, studio", {"Kocham kawę"}},
      {"табличка с надписью добро пожаловать", {"добро пожаловать"}},
      {"вивіска з написом Ласкаво просимо", {"Ласкаво просимо"}},
      {"un panou pe care scrie Deschis", {"Deschis"}},
      {"πινακίδα που λέει Καλημέρα", {"Καλημέρα"}},
      {"שלט שכתוב עליו ברוכים הבאים", {"ברוכים הבאים"}},
      {"قميص مكتوب عليه صباح الخير", {"صباح الخير"}},
      {"تابلو که روی آن نوشته شده خوش آمدید", {"خوش آمدید"}},
      {"एक बोर्ड जिस पर स्वागत लिखा है", {"स्वागत"}},
      {"ek board jis par WELCOME likha hai", {"WELCOME"}},
      {"papan nama bertuliskan Selamat Datang", {"Selamat Datang"}},
      {"tấm biển ghi chữ Xin chào", {"Xin chào"}},
      {"ป้ายที่เขียนว่า ยินดีต้อนรับ", {"ยินดีต้อนรับ"}},
      {"üzerinde AÇIK yazan bir tabela", {"AÇIK"}},
      {"木牌上写着欢迎光临，夜晚", {"欢迎光临"}},
      {"看板に営業中と書いてある", {"営業中"}},
      {"간판에 휴무라고 적혀 있다", {"휴무"}},
  });
}

TEST(Extraction, FindsWhatIsPutOntoAThing) {
  expect_texts({
      {"carve hope into the trunk of a pine", {"hope"}},
      {"engrave Forever on the locket", {"Forever"}},
      {"embroider courage across the pillowcase", {"courage"}},
      {"a boy scratching LINDA into a bench", {"LINDA"}},
      {"someone sprayed RESIST across the bridge", {"RESIST"}},
      {"ritze Hoffnung in die Rinde einer Eiche", {"Hoffnung"}},
      {"HOFFNUNG in die Bank ritzen", {"HOFFNUNG"}},
      {"gravez espoir sur la bague", {"espoir"}},
      {"peins LIBERTE sur le mur", {"LIBERTE"}},
      {"graba esperanza en el anillo", {"esperanza"}},
      {"escreva saudade na areia", {"saudade"}},
      {"incidi speranza sulla corteccia", {"speranza"}},
      {"kerf hoop in de boom", {"hoop"}},
      {"wyryj nadzieja na drzwiach", {"nadzieja"}},
      {"нацарапай надежда на стене", {"надежда"}},
      {"carve roses into the lid", {}},
      {"carve a swan into the ice", {}},
      {"paint clouds on the ceiling", {}},
      {"a carving knife on the bench", {}},
  });
}

TEST(Extraction, FindsWhatIsShoutedInCapitals) {
  expect_texts({
      {"fans in the stand chanting GOOOAL", {"GOOOAL"}},
      {"a parrot screaming BREAKFAST at the cook", {"BREAKFAST"}},
      {"eine Menge, die FREIHEIT ruft", {"FREIHEIT"}},
      {"une foule qui scande LIBERTE", {"LIBERTE"}},
      {"una multitud coreando LIBERTAD", {"LIBERTAD"}},
      {"толпа скандирует СВОБОДА", {"СВОБОДА"}},
      {"a coach shouting at his players", {}},
  });
}

TEST(Extraction, FindsHalvesOfAWordOnTwoThings) {
  expect_texts({
      {"two mugs, the first says sun and the second says rise", {"sun", "rise"}},
      {"two mugs, the left reads sun, the right rise", {"sun", "rise"}},
      {"a poster, part one says gold, part two says fish", {"gold", "fish"}},
      {"a board where the first half is but and the second half is ter, no gap", {"but", "ter"}},
      {"a sign, the first half of the word is rain and the second half is bow", {"rain", "bow"}},
      {"zwei Karten, auf der ersten steht Apfel, auf der zweiten Baum", {"Apfel", "Baum"}},
      {"un panneau, la première moitié est soleil et la deuxième est lune, sans espace",
       {"soleil", "lune"}},
      {"un letrero, la primera mitad es para y la segunda mitad es guas, sin espacio",
       {"para", "guas"}},
      {"uma placa, a primeira metade é guarda e a segunda é chuva, sem espaço",
       {"guarda", "chuva"}},
      {"un cartello, la prima metà è arco e la seconda è baleno, senza spazio", {"arco", "baleno"}},
      {"een bord, de eerste helft is zonne en de tweede is bloem, zonder spatie",
       {"zonne", "bloem"}},
      {"вывеска, первая половина — сол и вторая половина — нце, слитно", {"сол", "нце"}},
      {"a flag, the left half is red and the right half is blue", {}},
      {"two posters, the first shows a fox, the second an owl", {}},
  });
}

TEST(Extraction, FindsWordsOfTheRadioAlphabet) {
  expect_texts({
      {"a mug with the initials of sierra uniform november", {"sierra uniform november"}},
      {"letters kilo india tango echo on a wall", {"kilo india tango echo"}},
      {"Sierra-Uniform-November-Delta on a hangar", {"Sierra-Uniform-November-Delta"}},
      {"Mike, Oscar and Victor play golf in Quebec", {}},
      {"Romeo and Juliet dance a tango", {}},
  });
}

TEST(Extraction, ForgivesASlipOfTheKey) {
  expect_texts({
      {"a postr that raeds open late", {"open late"}},
      {"a bilboard saing hello", {"hello"}},
      {"a mgu wiht teh txt good morning", {"good morning"}},
      {"wriet happy on teh bannr", {"happy"}},
      {"a wodden sgin: Bakery", {"Bakery"}},
      {"ein Schlid mit der Aufscrift Brot", {"Brot"}},
      {"un panneua qui dit bonjour", {"bonjour"}},
      {"un letreo que dice hola", {"hola"}},
  });
}

TEST(Extraction, LeavesDescriptionAlone) {
  expect_texts({
      {"a cat on a mat", {}},
      {"a cat called Tom sleeping on a sofa", {}},
      {"graffiti of a whale on a wall", {}},
      {"a woman reading a newspaper in a café", {}},
      {"a man showing his dog to a child", {}},
      {"merchants announcing their goods, banners in the wind", {}},
      {"a poster with bold typography and geometric shapes", {}},
      {"a cushion printed with tropical leaves", {}},
      {"a bottle of perfume named after a flower", {}},
      {"an owl with a «steampunk» look", {}},
      {"a photo of a «classic» motorcycle on a road", {}},
      {"\"Arms Extended Out\"++, full body portrait", {}},
      {"a portrait in the style of \"Night Circus\", neon city", {}},
      {"a movie still from the film \"Casablanca\"", {}},
      {"her name tag is out of focus, and the letters cannot be read", {}},
  });
}

TEST(Extraction, SaysHowSureItIs) {
  const struct {
    const char* prompt;
    Certainty expected;
  } cases[] = {
      {"a sign that says \"tea\"", Certainty::Surely},
      {"a sign \"tea\"", Certainty::Surely},
      {"a cat and \"meow\"", Certainty::Likely},
      {"a sign that says tea", Certainty::Likely},
      {R"({"text": "tea"})", Certainty::Surely},
      {"a «retro» car on a road", Certainty::Described},
  };
  for (const auto& c : cases) {
    const std::vector<RenderedText> found = extract(c.prompt).texts;
    ASSERT_EQ(found.size(), 1u) << c.prompt;
    EXPECT_EQ(found[0].certainty, c.expected) << c.prompt << ": " << name_of(found[0].certainty);
  }
}

TEST(Extraction, TheEnginesSyntaxIsResolvedWhereItIsSpoken) {
  expect_texts({{"a sign that says \"(te:1.2)(am:1.2)\"", {"(te:1.2)(am:1.2)"}},
                {"a sign \\(that says \"hi\"\\)", {"hi"}}});
  expect_texts({{"a sign that says \"(te:1.2)(am:1.2)\"", {"team"}},
                {"a sign that says ((hello)), [dark]", {"hello"}},
                {"a sign that says \"[day:night:0.5]\"", {"day", "night"}},
                {"a sign that says [tea|milk]", {"tea", "milk"}},
                {"a card that says \"hi\" <lora:big \"type\":0.8>", {"hi"}},
                {"a sign that says \"\\(ok\\)\"", {"(ok)"}}},
               Syntax::A1111);
  expect_texts({{"a sign that says \"(te:1.2)am\"", {"team"}},
                {"a sign that says \"[tea]\"", {"[tea]"}},
                {"a sign that says \"{tea|milk}\"", {"tea", "milk"}}},
               Syntax::ComfyUi);
  expect_texts({{R"({"text": "tea"})", {"tea"}}, {"a sign that says \"tea\"", {"tea"}}},
               Syntax::Json);
}

TEST(Extraction, KnowsWhereDecodedTextsComeFrom) {
  const std::string prompt = R"({"text": "a\u0062c"})";
  const std::vector<RenderedText> found = extract(prompt).texts;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].text, "abc");
  EXPECT_EQ(prompt.substr(found[0].start, found[0].end - found[0].start), R"(a\u0062c)");
  using Origins = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  EXPECT_EQ(found[0].origins, (Origins{{10, 11}, {11, 17}, {17, 18}}));
}

TEST(Extraction, ReadsTextsAsTheyAreDrawn) {
  const struct {
    const char* text;
    std::vector<std::string> expected;
  } cases[] = {
      {"GOOD\\nMORNING", {"GOOD\nMORNING"}},
      {"GOOD<br>MORNING", {"GOOD\nMORNING"}},
      {"tea / cake", {"tea \ncake"}},
      {"<b>te</b>a", {"tea"}},
      {"te\\u0061", {"tea"}},
      {"(te:1.2)(a:1.2)", {"tea"}},
      {"t space e space a", {"t e a"}},
      {"1st letter T, 2nd letter E, 3rd letter A", {" T, E, A"}},
      {"tea and cake", {}},
      {"a / b", {"a \nb"}},
  };
  for (const auto& c : cases) {
    RenderedText text;
    text.text = c.text;
    text.end = text.text.size();
    std::vector<std::string> readings;
    for (const TextReading& reading : other_readings(text)) readings.push_back(reading.text);
    EXPECT_EQ(readings, c.expected) << c.text;
  }
}

TEST(Extraction, KnowsWhereAWordMayBeDrawnAllTheSame) {
  const auto doubtful = [](std::string_view prompt, std::string_view word) {
    const std::size_t at = prompt.find(word);
    for (const auto& [start, end] : extract(prompt).doubtful) {
      if (start <= at && at + word.size() <= end) return true;
    }
    return false;
  };
  EXPECT_TRUE(doubtful("a tulip sign", "tulip"));
  EXPECT_TRUE(doubtful("tulip (neon sign)", "tulip"));
  EXPECT_TRUE(doubtful("tulip", "tulip"));
  EXPECT_TRUE(doubtful("a mug that says \"tea\", a sign with tulip on it", "tulip"));
  EXPECT_TRUE(doubtful("a parrot shouting tulip", "tulip"));
  EXPECT_TRUE(doubtful("paint tulip fields across the ceiling", "tulip"));
  EXPECT_FALSE(doubtful("a tulip in a field, evening sun", "tulip"));
  EXPECT_FALSE(doubtful("a gardener shouting tulip in a field", "tulip"));
  EXPECT_FALSE(doubtful("a tulip dealer, his sign reads \"tea\"", "tulip"));
}

TEST(Extraction, AMarkTooManyHidesNothing) {
  const Texts found = texts("a sign 'the boys' secret club' at dusk");
  std::string all;
  for (const std::string& text : found) all += text + "|";
  EXPECT_NE(all.find("secret club"), std::string::npos) << all;
}

TEST(Extraction, TakesAPromptThatIsQuotedAsAWhole) {
  expect_texts({{"\"A robot holding a sign that says 'Help me'\"", {"Help me"}},
                {"\"a poster that says hello\"", {"hello"}},
                {"\"Keep calm and carry on\"", {"Keep calm and carry on"}}});
}

TEST(Extraction, TakesAnyBytes) {
  EXPECT_TRUE(texts("").empty());
  EXPECT_EQ(texts("\"\xff\xfe\"").size(), 1u);
}

TEST(Extraction, KnowsWhenFirstLettersAreAskedFor) {
  EXPECT_TRUE(asked_of("an acrostic poem").acrostic);
  EXPECT_TRUE(asked_of("a card, one word per line").acrostic);
  EXPECT_FALSE(asked_of("a poem card").acrostic);
}

TEST(Extraction, KnowsWhenLettersAreSaidToBeMoved) {
  EXPECT_TRUE(asked_of("a mug with uryyb, which is ROT-13").ciphered);
  EXPECT_TRUE(asked_of("une tasse en chiffre de César").ciphered);
  EXPECT_FALSE(asked_of("a caesar salad in a bowl").ciphered);
}

}  // namespace
}  // namespace glyphward::lexicon
