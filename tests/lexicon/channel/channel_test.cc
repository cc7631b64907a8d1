#include "lexicon/channel/channel.h"

#include <gtest/gtest.h>

#include <string>

#include "base/config_error.h"
#include "lexicon/tables.h"

namespace glyphward::lexicon {
namespace {

const Channel& channel() { return Channel::shipped(); }

TEST(Channel, ChargesEachRuleFirstAndThenLess) {
  for (std::size_t i = 0; i < kRuleCount; ++i) {
    const Rules rule = Rules{1} << i;
    EXPECT_GE(channel().hide(rule, 0), 0) << rule_name(static_cast<Rule>(i));
    EXPECT_GE(channel().write(rule, 0), 0) << rule_name(static_cast<Rule>(i));
    EXPECT_GE(channel().hide(rule, 0) + 3, channel().hide(rule, rule))
        << rule_name(static_cast<Rule>(i));
    EXPECT_NE(steps_of(rule), 0u);
  }
  EXPECT_FLOAT_EQ(channel().hide(bit(Rule::Leet) | bit(Rule::Mask), 0),
                  channel().hide(bit(Rule::Leet), 0) + channel().hide(bit(Rule::Mask), 0));
  EXPECT_EQ(channel().hide(0, 0), 0);
}

TEST(Channel, KnowsKeyboardsSoundsAndCompanions) {
  EXPECT_TRUE(Channel::are_neighbours(U'g', U'h'));
  EXPECT_TRUE(Channel::are_neighbours(U'g', U't'));
  EXPECT_FALSE(Channel::are_neighbours(U'g', U'p'));
  EXPECT_FALSE(Channel::are_neighbours(U'g', U'ж'));
  EXPECT_FALSE(channel().sounds(U'p').empty());
  EXPECT_TRUE(channel().sounds(U'ж').empty());
  EXPECT_TRUE(channel().is_companion(U"face"));
}

TEST(Channel, SaysWhatIsWrongWithATable) {
  const std::string rules(tables::lexicon_channel_rules_tsv);
  const std::string prices(tables::lexicon_channel_prices_tsv);
  const auto fails = [&](const std::string& rule_table, const std::string& price_table,
                         const std::string& sounds, const std::string& expected) {
    try {
      Channel(rule_table, price_table, sounds, "words\n");
      ADD_FAILURE() << "expected: " << expected;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  };
  const std::string sounds = "term\twritten\tnats\n";
  fails("rule\tfirst\tmore\tordinary_first\tordinary_more\nnone\t1\t1\t1\t1\n", prices, sounds,
        "unknown: 'none'");
  fails("rule\tfirst\tmore\tordinary_first\tordinary_more\nleet\t-1\t1\t1\t1\n", prices, sounds,
        "no less than 0");
  fails("rule\tfirst\tmore\tordinary_first\tordinary_more\nleet\t1\t1\t1\t1\n", prices, sounds,
        "missing");
  fails(rules, "price\tnats\nterm\tmuch\n", sounds, "expected a number");
  fails(rules, prices, sounds + "f\tж\t1\n", "letters from a to z");
}

}  // namespace
}  // namespace glyphward::lexicon
