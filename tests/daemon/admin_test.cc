// The admin socket: the policy in force, and the decisions.
#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

TEST(Policy, ReloadsWholeOrKeepsTheOldOneAndSaysWhy) {
  fs::path file;
  const auto write_policy = [&](const std::string& action) {
    std::ofstream(file) << "lexicons = [\"" << GLYPHWARD_SOURCE_DIR << "/lexicon/default.tsv\"]\n"
                        << "default_action = \"allow\"\n[[rule]]\nname = \"r\"\nseverity_min = 2\n"
                        << "where = \"rendered\"\naction = \"" << action << "\"\n";
  };
  TestDaemon test([&](Config& config, DaemonParts&) {
    file = config.socket.parent_path() / "policy.toml";
    config.policy = file;
    write_policy("block");
  });
  const auto status = [&] {
    return ask(test.config.admin_socket, get("/v1/status")).body.at("policy");
  };
  const std::string first = text_at(status(), "revision");
  EXPECT_EQ(ask(test.config.socket, generation(kToxicPrompt)).status, 400);

  write_policy("blokc");
  const Answer bad = ask(test.config.admin_socket, post("/v1/policy/reload", ""));
  EXPECT_EQ(bad.status, 400);
  EXPECT_NE(bad.message().find("blokc"), std::string::npos);
  EXPECT_EQ(text_at(status(), "revision"), first);
  EXPECT_NE(text_at(status(), "last_error").find("blokc"), std::string::npos);
  EXPECT_EQ(ask(test.config.socket, generation(kToxicPrompt)).status, 400);

  write_policy("allow");
  test.daemon->reload();
  EXPECT_TRUE(eventually([&] { return text_at(status(), "revision") != first; }));
  EXPECT_FALSE(status().as_object().contains("last_error"));
}

TEST(Admin, PagesAndFiltersDecisions) {
  TestDaemon test;
  for (int i = 0; i < 5; ++i)
    ask(test.config.socket, generation(i < 3 ? kCleanPrompt : kToxicPrompt));
  const auto page = ask(test.config.admin_socket, get("/v1/decisions?limit=2")).body;
  ASSERT_EQ(page.at("data").as_array().size(), 2u);
  EXPECT_EQ(page.at("data").at(0).at("sequence").to_number<int>(), 5);
  EXPECT_TRUE(page.at("has_more").as_bool());
  EXPECT_EQ(page.at("next_before").to_number<int>(), 4);
  const auto last = ask(test.config.admin_socket, get("/v1/decisions?limit=3&before=4")).body;
  EXPECT_EQ(last.at("data").as_array().size(), 3u);
  EXPECT_FALSE(last.at("has_more").as_bool());
  const auto toxic =
      ask(test.config.admin_socket, get("/v1/decisions?action=substitute&prompt_contains=%22bit"))
          .body;
  EXPECT_EQ(toxic.at("data").as_array().size(), 2u);

  const auto one = ask(test.config.admin_socket, get("/v1/decisions/2"));
  EXPECT_EQ(one.body.at("sequence").to_number<int>(), 2);
  const auto again =
      ask(test.config.admin_socket, get("/v1/decisions/" + text_at(one.body, "request_id")));
  EXPECT_EQ(again.body, one.body);
  EXPECT_EQ(ask(test.config.admin_socket, get("/v1/decisions/99")).status, 404);
  EXPECT_EQ(ask(test.config.admin_socket, get("/v1/decisions?limt=2")).param(), "limt");
  EXPECT_EQ(ask(test.config.admin_socket, get("/v1/decisions?limit=0")).param(), "limit");
  EXPECT_EQ(ask(test.config.admin_socket, get("/v1/decisions?before=x")).param(), "before");
}

}  // namespace
}  // namespace glyphward::daemon::testing
