#include "lexicon/text/extraction.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace glyphward::lexicon {
namespace {

std::vector<std::string> texts(std::string_view prompt) {
  std::vector<std::string> result;
  for (const RenderedText& text : extract(prompt).texts) {
    EXPECT_EQ(text.text, prompt.substr(text.start, text.end - text.start));
    result.push_back(text.text);
  }
  return result;
}

TEST(Extraction, FindsWhatThePictureShows) {
  using Texts = std::vector<std::string>;
  const struct {
    const char* note;
    const char* prompt;
    Texts expected;
  } cases[] = {
      {"straight quotes", "a sign that says \"hello\" at dusk", {"hello"}},
      {"curly quotes", "a mug with “good morning” on it", {"good morning"}},
      {"single quotes", "a mug, the mug says 'good day', morning", {"good day"}},
      {"single curly quotes", "banner ‘it’s fine’ on a wall", {"it’s fine"}},
      {"apostrophe inside single quotes", "banner 'it's fine' on a wall", {"it's fine"}},
      {"backticks", "logo `kiosk`", {"kiosk"}},
      {"guillemets with spaces", "enseigne « Pain frais » au soleil", {"Pain frais"}},
      {"guillemets inwards", "Schild »Brot« am Haus", {"Brot"}},
      {"low quotes", "Schild „Brot“ am Haus", {"Brot"}},
      {"corner brackets", "看板「営業中」と『閉店』", {"営業中", "閉店"}},
      {"glued to letters of another script", "간판에 '환영'라고", {"환영"}},
      {"two texts", "one mug says \"tea\", the other \"milk\"", {"tea", "milk"}},
      {"nested", "a book called \"the 'big' one\"", {"the 'big' one"}},
      {"apostrophes are no quotes", "the dogs' bowl isn't full", {}},
      {"inches", "a 5\" screen on a desk", {}},
      {"opened, never closed", "a sign that says \"hello there", {"hello there"}},
      {"lines", "a list: \"eggs\nmilk\"", {"eggs\nmilk"}},
      {"no text", "a cat on a mat", {}},
      {"that says", "a billboard that says grand opening", {"grand opening"}},
      {"saying, up to the comma", "a hoodie saying stay cool, studio light", {"stay cool"}},
      {"labelled, up to the scene", "a jar labelled plum jam on a shelf", {"plum jam"}},
      {"with the words", "a placemat with the words bon appetit", {"bon appetit"}},
      {"spelled letters go over commas", "balloons spelling out F, U, N, party", {"F, U, N"}},
      {"spelled letters without a verb", "wooden letter blocks F-U-N on a shelf", {"F-U-N"}},
      {"about the letters", "a wall reading in big red letters never mind", {"never mind"}},
      {"articles are not swallowed", "a hoodie saying another day, studio light", {"another day"}},
      {"colours are not swallowed", "a hoodie saying white noise, studio light", {"white noise"}},
      {"colon", "poster, caption: see you soon", {"see you soon"}},
      {"graffiti of a thing is no text", "graffiti of a whale on a wall", {}},
      {"the text before its verb", "a cake with happy birthday written on it", {"happy birthday"}},
      {"the word", "balloons forming the word hooray", {"hooray"}},
      {"bytes of a letter are no spaces", "a sign that says à la carteà", {"à la carteà"}},
      {"Spanish", "un cartel que dice pan fresco sobre una mesa", {"pan fresco"}},
      {"French", "un panneau qui dit pain frais", {"pain frais"}},
      {"German", "ein Schild mit der Aufschrift frisches Brot", {"frisches Brot"}},
      {"Portuguese", "uma placa que diz bem-vindos", {"bem-vindos"}},
      {"Russian", "табличка с надписью добро пожаловать", {"добро пожаловать"}},
      {"Chinese", "木牌上写着欢迎光临", {"欢迎光临"}},
      {"Japanese", "看板に営業中と書いてある", {"営業中"}},
  };
  for (const auto& c : cases) EXPECT_EQ(texts(c.prompt), c.expected) << c.note << ": " << c.prompt;
}

TEST(Extraction, AMarkTooManyHidesNothing) {
  const std::vector<std::string> found = texts("a sign 'the boys' secret club' at dusk");
  std::string all;
  for (const std::string& text : found) all += text + "|";
  EXPECT_NE(all.find("secret club"), std::string::npos) << all;
}

TEST(Extraction, TakesAnyBytes) {
  EXPECT_TRUE(texts("").empty());
  EXPECT_EQ(texts("\"\xff\xfe\"").size(), 1u);
  const std::string quotes(32000, '"');
  extract(quotes);
  extract(std::string(32000, '\''));
  std::string says;
  while (says.size() < 32000) says += "says ";
  extract(says);
}

TEST(Extraction, KnowsWhenFirstLettersAreAskedFor) {
  EXPECT_TRUE(asks_for_acrostic("an acrostic poem"));
  EXPECT_TRUE(asks_for_acrostic("a card, one word per line"));
  EXPECT_FALSE(asks_for_acrostic("a poem card"));
}

}  // namespace
}  // namespace glyphward::lexicon
