#include "daemon/cli/policy/policy_replay.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/config_error.h"
#include "daemon/cli/bench/temporary_folder.h"

namespace glyphward::daemon {
namespace {

LoggedDecision logged(const std::string& json) {
  return logged_decision(boost::json::parse(json).as_object());
}

TEST(PolicyReplay, ReadsARowOfTheLog) {
  const LoggedDecision row =
      logged(R"({"sequence": 7, "request_id": "r", "prompt": "p", "action": "block",)"
             R"( "parameters": {"tenant": "theatre"}})");
  EXPECT_EQ(row.sequence, 7);
  EXPECT_EQ(row.request_id, "r");
  EXPECT_EQ(row.prompt, "p");
  EXPECT_EQ(row.tenant, "theatre");
  EXPECT_EQ(row.action, "block");
  EXPECT_EQ(logged(R"({"action": "allow", "prompt": null})").prompt, "");
  EXPECT_THROW(logged("{}"), std::invalid_argument);
  EXPECT_THROW(logged(R"({"action": "allow", "prompt": 3})"), std::invalid_argument);
  EXPECT_THROW(logged(R"({"action": "allow", "sequence": "1"})"), std::invalid_argument);
}

TEST(PolicyReplay, ReadsAnExportInItsOrder) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "export.jsonl";
  std::ofstream(file, std::ios::binary) << R"({"action": "allow", "sequence": 1})"
                                        << "\n\n"
                                        << "{\"action\": \"block\", \"prompt\": \"\xFF\"}\n";
  std::string actions;
  for_each_decision(file, [&](const LoggedDecision& one) { actions += one.action + " "; });
  EXPECT_EQ(actions, "allow block ");
  std::ofstream(file) << R"({"action": "allow"})"
                      << "\n{}\n";
  try {
    for_each_decision(file, [](const LoggedDecision&) {});
    ADD_FAILURE() << "took a row without its action";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("export.jsonl:2: expected \"action\""),
              std::string::npos)
        << error.what();
  }
}

std::shared_ptr<const policy::Policy> policy_that(const TemporaryFolder& folder,
                                                  const std::string& action) {
  std::ofstream(folder.path() / "list.tsv")
      << "term\tcategory\tseverity\tlanguage\tflags\tforms\nheck\tprofanity\t3\ten\t\t\n";
  const auto file = folder.path() / (action + ".toml");
  std::ofstream(file) << "lexicons = [\"list.tsv\"]\n"
                      << "[[rule]]\nname = \"all\"\nseverity_min = 2\naction = \"" << action
                      << "\"\n";
  return policy::Policy::load(file);
}

TEST(PolicyReplay, TellsWhatAnotherPolicyChanges) {
  const TemporaryFolder folder;
  const auto block = policy_that(folder, "block");
  const auto review = policy_that(folder, "review");
  LoggedDecision toxic;
  toxic.prompt = "a sign that says \"heck\"";
  LoggedDecision clean;
  clean.prompt = "a sign that says \"peace\"";
  EXPECT_FALSE(replay(*block, *block, toxic));
  EXPECT_FALSE(replay(*block, *review, clean));
  const auto change = replay(*block, *review, toxic);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->old_decision.action, policy::Action::Block);
  EXPECT_EQ(change->new_decision.action, policy::Action::Review);
  EXPECT_EQ(change->logged.prompt, toxic.prompt);
}

}  // namespace
}  // namespace glyphward::daemon
