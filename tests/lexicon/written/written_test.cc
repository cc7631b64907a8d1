#include "lexicon/written/written.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "lexicon/written/plain_text.h"

namespace glyphward::lexicon {
namespace {

Entry entry(const std::string& term, std::uint32_t flags, std::vector<std::string> forms = {}) {
  return {{term, "insult", 3, "und"}, flags, std::move(forms), {}};
}

// What of the text is found, by the terms' order.
std::set<std::string> found(const std::vector<Entry>& entries, const std::string& text) {
  std::vector<WrittenMatch> matches;
  WrittenSearch(entries).find(text, matches);
  std::set<std::string> result;
  for (const WrittenMatch& match : matches)
    result.insert(text.substr(match.start, match.end - match.start));
  return result;
}

using Found = std::set<std::string>;

TEST(PlainText, LeavesLettersAsTheyAreAndDropsWhatIsNotSeen) {
  EXPECT_EQ(PlainText("C\u200B&A").letters, U"C&A");
  EXPECT_EQ(PlainText("\uFF23\uFF06\uFF21").letters, U"c&a");
  EXPECT_EQ(PlainText("a \t\u00A0b\nc").letters, U"a b\nc");
  EXPECT_EQ(PlainText("M&M\u2019s 7\u20119").letters, U"M&M's 7-9");
  EXPECT_EQ(PlainText("cafe\u0301").letters, U"caf\u00E9");
  EXPECT_TRUE(PlainText("").letters.empty());
  const PlainText broken("a\xFF\xC3");
  EXPECT_EQ(broken.letters.size(), 3u);
  EXPECT_EQ(broken.starts.back(), 3u);
}

TEST(Written, FindsNamesAsTheyAreWritten) {
  const std::vector<Entry> brands = {entry("c&a", kLiteral),
                                     entry("at&t", kLiteral),
                                     entry("yahoo!", kLiteral, {"ya-hoo!"}),
                                     entry("caf\u00E9+", kLiteral),
                                     entry("\u8D85\u5E02!", kLiteral),
                                     entry("!!", kLiteral)};
  EXPECT_EQ(found(brands, "at C&A, c&a and C\u200B&A"), (Found{"C&A", "c&a", "C\u200B&A"}));
  EXPECT_EQ(found(brands, "\uFF23\uFF06\uFF21"), Found{"\uFF23\uFF06\uFF21"});
  EXPECT_EQ(found(brands, "(Yahoo!) YA-HOO!2"), (Found{"Yahoo!", "YA-HOO!"}));
  EXPECT_EQ(found(brands, "CAFE\u0301+"), Found{"CAFE\u0301+"});
  EXPECT_EQ(found(brands, "\u5927\u8D85\u5E02!"), Found{"\u8D85\u5E02!"}) << "no spaces there";
  EXPECT_EQ(found(brands, "wow!!"), Found{"!!"});
  EXPECT_EQ(found(brands, "CA, vitamin C & A, Mac&a, c&ab, yahoo, at t"), Found{});
}

TEST(Written, FindsRegularExpressions) {
  const std::vector<Entry> rules = {entry("order number", kRegex, {"acme-[0-9]{4}"}),
                                    entry("whole", kRegex, {"^top secret$"}),
                                    entry("grouped", kRegex, {"code:(x+)"})};
  EXPECT_EQ(found(rules, "ACME-1234 or Acme\u2010\uFF11\u200B234"),
            (Found{"ACME-1234", "Acme\u2010\uFF11\u200B234"}));
  EXPECT_EQ(found(rules, "Top  Secret"), Found{"Top  Secret"});
  EXPECT_EQ(found(rules, "not top secret"), Found{});
  EXPECT_EQ(found(rules, "code:xxx"), Found{"xxx"}) << "the first group is what is found";
  EXPECT_EQ(expression_fault("a[0-9]+"), "");
  EXPECT_NE(expression_fault("a("), "");
  EXPECT_NE(expression_fault("a*"), "") << "matches nothing at all";
  EXPECT_NE(expression_fault("(a{1000}){1000}"), "") << "too large";
}

TEST(Written, FindsForms) {
  const struct {
    const char* form;
    std::vector<const char*> yes;
    std::vector<const char*> no;
  } cases[] = {
      {"url",
       {"https://example.com/a?b=c", "www.example.museum", "example.com", "EXAMPLE.COM",
        "shop.example.co.uk/path", "example[.]com", "example dot com", "t.me/channel",
        "m\u200By.io"},
       {"the end.It was late", "e.g. this", "3.14", "Mr. Smith", "a.b", "file.txt", "U.S.A.",
        "10.30 Uhr", "polka dot company", "No.5", "v1.2.3", "wow...so nice"}},
      {"email",
       {"jo@example.com", "first.last+tag@mail.example.org", "jo (at) example dot com",
        "JO@EXAMPLE.COM", "jo at example.com"},
       {"meet me at noon", "@home", "5 @ 3", "a@b", "look at the.company"}},
      {"phone",
       {"+44 20 7946 0958", "(555) 234-5678", "555-234-5678", "1-800-FLOWERS", "030 1234567",
        "+4915112345678", "0800 123 456", "555-0199", "\uFF0B44 20 7946 0958"},
       {"2024-01-15", "01-02-2024", "10 000 000", "room 101", "12:30", "3.14159265", "1984",
        "1,234,567", "02/2024", "90210-1234"}},
      {"handle",
       {"@acme_shop", "follow @a.b", "(@acme)"},
       {"a@b", "@ 5pm", "jo@example.com", "@1"}},
      {"card",
       {"4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "\uFF14111111111111111"},
       {"4111 1111 1111 1112", "0000 0000 0000 0000", "1234567890", "3.14159265358979323"}},
  };
  for (const auto& c : cases) {
    const std::vector<Entry> form = {entry(c.form, kForm)};
    for (const char* text : c.yes)
      EXPECT_FALSE(found(form, text).empty()) << c.form << ": " << text;
    for (const char* text : c.no) EXPECT_EQ(found(form, text), Found{}) << c.form << ": " << text;
  }
  EXPECT_EQ(form_names(), (std::vector<std::string>{"card", "email", "handle", "phone", "url"}));
}

TEST(Written, FindsEachOfSeveral) {
  const std::vector<Entry> handles = {entry("handle", kForm), entry("card", kForm)};
  EXPECT_EQ(found(handles, "@abc @def,@ghi 4111111111111111 5500000000000004"),
            (Found{"@abc", "@def", "@ghi", "4111111111111111", "5500000000000004"}));
}

// A hundred thousand names and all forms, over texts that are made of their beginnings.
TEST(Written, IsLinear) {
  std::vector<Entry> entries;
  for (const std::string& form : form_names()) entries.push_back(entry(form, kForm));
  for (int i = 0; i < 100000; ++i)
    entries.push_back(entry("brand & brand & " + std::to_string(i) + "!", kLiteral));
  entries.push_back(entry("greedy", kRegex, {"a.*b|a"}));
  const WrittenSearch search(entries);
  for (const char* unit :
       {"brand & ", "a", "@a", "www.", "1", "4111 ", "a.", "a@a.", "+1 (", "x"}) {
    std::string text;
    while (text.size() < 32000) text += unit;
    std::vector<WrittenMatch> matches;
    const auto start = std::chrono::steady_clock::now();
    search.find(text, matches);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("%s: %.1f ms, %zu matches\n", unit, took.count() * 1000, matches.size());
    EXPECT_LT(took.count(), 2.0) << unit;
    EXPECT_LE(matches.size(), 20 * (WrittenSearch::kMatchesMax + 1)) << unit;
  }
}

}  // namespace
}  // namespace glyphward::lexicon
