// POST /v1/images/generations: what is answered, and what is not accepted.
#include <gtest/gtest.h>

#include <set>

#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

TEST(Generations, AnswerInOpenAisShape) {
  TestDaemon test;
  const Answer answer = ask(test.config.socket, generation(kCleanPrompt, R"(, "seed": 7, "n": 2)"));
  ASSERT_EQ(answer.status, 200);
  EXPECT_GT(answer.body.at("created").to_number<std::int64_t>(), 1'700'000'000);
  ASSERT_EQ(answer.body.at("data").as_array().size(), 2u);
  // The first bytes of every PNG, in base64.
  EXPECT_TRUE(text_at(answer.body.at("data").at(0), "b64_json").starts_with("iVBORw0KGgo"));
  EXPECT_EQ(text_at(answer.body, "size"), "192x64");
  const json::value& glyphward = answer.body.at("glyphward");
  EXPECT_EQ(text_at(glyphward, "action"), "allow");
  EXPECT_EQ(text_at(glyphward, "route"), "plain");
  EXPECT_EQ(glyphward.at("images").at(1).at("seed").to_number<int>(), 8);
  EXPECT_EQ(text_at(glyphward, "request_id"), answer.header("x-request-id"));

  const auto rows = test.rows();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].outcome, "answered");
  EXPECT_EQ(rows[0].request_id, answer.header("x-request-id"));
  EXPECT_EQ(rows[0].endpoint, "/v1/images/generations");
  EXPECT_EQ(rows[0].client, "uid=" + std::to_string(::getuid()) + " gid=" +
                                std::to_string(::getgid()) + " pid=" + std::to_string(::getpid()));
}

TEST(Generations, ReplaceAToxicWordAndSayWhatWasDrawn) {
  TestDaemon test;
  const Answer answer = ask(test.config.socket, generation(kToxicPrompt));
  ASSERT_EQ(answer.status, 200);
  const json::value& glyphward = answer.body.at("glyphward");
  EXPECT_EQ(text_at(glyphward, "action"), "substitute");
  EXPECT_EQ(text_at(glyphward, "route"), "localized");
  const std::string revised = text_at(answer.body.at("data").at(0), "revised_prompt");
  EXPECT_EQ(revised.find("bitch"), std::string::npos);
  EXPECT_EQ(text_at(glyphward, "reading"), FakePipeline::quoted(revised));
}

TEST(Generations, DrawASeedWhereNoneIsGiven) {
  TestDaemon test;
  std::set<std::string> seeds;
  for (int i = 0; i < 3; ++i) {
    const Answer answer = ask(test.config.socket, generation(kCleanPrompt));
    seeds.insert(json::serialize(answer.body.at("glyphward").at("images").at(0).at("seed")));
  }
  EXPECT_GT(seeds.size(), 1u);
}

TEST(Generations, AnswerARefusalThatSdksDoNotRetry) {
  TestDaemon test([](Config& config, DaemonParts&) {
    const fs::path file = config.socket.parent_path() / "policy.toml";
    std::ofstream(file) << "lexicons = [\"" << GLYPHWARD_SOURCE_DIR << "/lexicon/default.tsv\"]\n"
                        << "default_action = \"allow\"\n[[rule]]\nname = \"none\"\n"
                        << "severity_min = 2\nwhere = \"rendered\"\naction = \"block\"\n";
    config.policy = file;
  });
  const Answer answer = ask(test.config.socket, generation(kToxicPrompt));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.code(), "content_policy_violation");
  EXPECT_EQ(answer.header("x-should-retry"), "false");
  EXPECT_EQ(answer.message().find("bitch"), std::string::npos);
  EXPECT_EQ(test.pace->generations, 0);
  EXPECT_EQ(test.rows().at(0).outcome, "refused");
  EXPECT_EQ(test.rows().at(0).rule, "none");
}

TEST(Generations, NameTheFieldOfBadInput) {
  TestDaemon test;
  const std::string p = R"({"prompt": "a cat")";
  const BadInput table[] = {
      {"no prompt", "{}", 400, "prompt", "missing_required_parameter"},
      {"null prompt", R"({"prompt": null})", 400, "prompt", "missing_required_parameter"},
      {"empty prompt", R"({"prompt": ""})", 400, "prompt", "invalid_value"},
      {"blank prompt", R"({"prompt": " \n\t"})", 400, "prompt", "invalid_value"},
      {"huge prompt", R"({"prompt": ")" + std::string(32'001, 'a') + "\"}", 400, "prompt",
       "invalid_value"},
      {"not UTF-8", "{\"prompt\": \"a \xFF\xC3 sign\"}", 400, "prompt", "invalid_value"},
      {"prompt of another type", R"({"prompt": 5})", 400, "prompt", "invalid_type"},
      {"not UTF-8 elsewhere", p + ", \"negative_prompt\": \"\xC0\xAF\"}", 400, "negative_prompt",
       "invalid_value"},
      {"cut JSON", R"({"prompt": "a)", 400, "", "invalid_json"},
      {"no JSON", "hello", 400, "", "invalid_json"},
      {"empty body", "", 400, "", "invalid_json"},
      {"an array", "[1]", 400, "", "invalid_json"},
      {"two documents", p + "} {}", 400, "", "invalid_json"},
      {"too deep", R"({"prompt": )" + std::string(100, '[') + std::string(100, ']') + "}", 400, "",
       "invalid_json"},
      {"lone surrogate", R"({"prompt": "\ud800"})", 400, "", "invalid_json"},
      {"unknown field", p + R"(, "sseed": 1})", 400, "sseed", "unknown_parameter"},
      {"unknown model", p + R"(, "model": "dall-e-3"})", 404, "model", "model_not_found"},
      {"n of 0", p + R"(, "n": 0})", 400, "n", "invalid_value"},
      {"n of 11", p + R"(, "n": 11})", 400, "n", "invalid_value"},
      {"n below an int", p + R"(, "n": -99999999999})", 400, "n", "invalid_value"},
      {"n no number", p + R"(, "n": "1"})", 400, "n", "invalid_type"},
      {"n half", p + R"(, "n": 1.5})", 400, "n", "invalid_type"},
      {"size no size", p + R"(, "size": "large"})", 400, "size", "invalid_value"},
      {"size of one", p + R"(, "size": "64"})", 400, "size", "invalid_value"},
      {"size negative", p + R"(, "size": "-64x64"})", 400, "size", "invalid_value"},
      {"size with a tail", p + R"(, "size": "64x64px"})", 400, "size", "invalid_value"},
      {"size odd", p + R"(, "size": "65x64"})", 400, "size", "invalid_value"},
      {"size huge", p + R"(, "size": "64x65536"})", 400, "size", "invalid_value"},
      {"width odd", p + R"(, "width": 65})", 400, "width", "invalid_value"},
      {"size against width", p + R"(, "size": "64x64", "width": 128})", 400, "size",
       "invalid_value"},
      {"guidance below 1", p + R"(, "guidance_scale": 0.5})", 400, "guidance_scale",
       "invalid_value"},
      {"guidance huge", p + R"(, "guidance_scale": 1e999})", 400, "guidance_scale",
       "invalid_value"},
      {"no steps", p + R"(, "num_inference_steps": 0})", 400, "num_inference_steps",
       "invalid_value"},
      {"negative seed", p + R"(, "seed": -1})", 400, "seed", "invalid_value"},
      {"seed past the last", p + R"(, "seed": 9223372036854775807})", 400, "seed", "invalid_value"},
      {"unknown scheduler", p + R"(, "scheduler": "Fast"})", 400, "scheduler", "invalid_value"},
      {"url", p + R"(, "response_format": "url"})", 400, "response_format", "unsupported_value"},
      {"jpeg", p + R"(, "output_format": "jpeg"})", 400, "output_format", "unsupported_value"},
      {"stream", p + R"(, "stream": true})", 400, "stream", "unsupported_value"},
      {"user too long", p + R"(, "user": ")" + std::string(257, 'u') + "\"}", 400, "user",
       "invalid_value"},
  };
  Connection connection(test.config.socket);
  for (const BadInput& bad : table) {
    connection.send(post("/v1/images/generations", bad.body));
    const Answer answer = connection.receive();
    EXPECT_EQ(answer.status, bad.status) << bad.note;
    EXPECT_EQ(answer.param(), bad.param) << bad.note;
    EXPECT_EQ(answer.code(), bad.code) << bad.note;
    EXPECT_FALSE(answer.message().empty()) << bad.note;
    EXPECT_EQ(answer.header("x-should-retry"), "false") << bad.note;
    EXPECT_FALSE(answer.header("x-request-id").empty()) << bad.note;
  }
  EXPECT_EQ(test.pace->generations, 0);
  EXPECT_TRUE(test.rows().empty());
}

TEST(Generations, IgnoreWhatChangesNothingAndSaySo) {
  TestDaemon test;
  const Answer answer =
      ask(test.config.socket,
          generation(kCleanPrompt,
                     R"(, "quality": "hd", "moderation": "low", "model": null, "size": "auto")"));
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(json::serialize(answer.body.at("glyphward").at("ignored")),
            R"(["quality","moderation"])");
}

}  // namespace
}  // namespace glyphward::daemon::testing
