// The daemon's sockets, queue, worker and lifecycle, against a pipeline that the test paces.
#include "daemon/daemon.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>

#include "base/config_error.h"
#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

const std::string kCleanPrompt = R"(a red sign that says "hello")";
const std::string kToxicPrompt = R"(a red sign that says "bitch")";

std::string text_at(const json::value& body, const char* name) {
  return std::string(body.at(name).as_string());
}

// ---- Answers

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

TEST(Moderations, AnswerInOpenAisShapeWhileThePipelineWorks) {
  TestDaemon test;
  test.pace->close_gate();
  Connection busy(test.config.socket);
  busy.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  const Answer answer =
      ask(test.config.socket,
          post("/v1/moderations", R"({"input": ["a sign that says \"bitch\"", "a cat"]})"));
  ASSERT_EQ(answer.status, 200);
  EXPECT_TRUE(text_at(answer.body, "id").starts_with("modr-"));
  const json::array& results = answer.body.at("results").as_array();
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(results[0].at("flagged").as_bool());
  EXPECT_FALSE(results[1].at("flagged").as_bool());
  const json::value& finding = results[0].at("findings").at(0);
  EXPECT_EQ(text_at(finding, "term"), "bitch");
  EXPECT_TRUE(results[0].at("categories").at(text_at(finding, "category")).as_bool());
  EXPECT_NEAR(results[0].at("category_scores").at(text_at(finding, "category")).to_number<double>(),
              finding.at("severity").to_number<double>() / 7, 1e-9);
  const auto rows = test.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].endpoint, "/v1/moderations");
}

TEST(Service, ListsItsModelAndKnowsItsPaths) {
  TestDaemon test;
  const Answer models = ask(test.config.socket, get("/v1/models"));
  EXPECT_EQ(text_at(models.body.at("data").at(0), "id"), "fake");
  EXPECT_EQ(ask(test.config.socket, get("/healthz")).status, 200);
  EXPECT_EQ(ask(test.config.socket, get("/nothing")).status, 404);
  // Who may ask for a picture may not read everyone's prompts.
  EXPECT_EQ(ask(test.config.socket, get("/v1/decisions")).status, 404);
  EXPECT_EQ(ask(test.config.socket, get("/v1/status")).status, 404);
  EXPECT_EQ(ask(test.config.admin_socket, generation(kCleanPrompt)).status, 404);
  const Answer wrong = ask(test.config.socket, get("/v1/images/generations"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "POST");
}

// ---- Bad input

struct BadInput {
  const char* note;
  std::string body;
  int status;
  const char* param;
  const char* code;
};

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

TEST(Moderations, NameTheFieldOfBadInput) {
  TestDaemon test;
  const BadInput table[] = {
      {"no input", "{}", 400, "input", "missing_required_parameter"},
      {"no texts", R"({"input": []})", 400, "input", "invalid_value"},
      {"a picture", R"({"input": [{"type": "image_url", "image_url": {"url": "x"}}]})", 400,
       "input", "invalid_value"},
      {"a number", R"({"input": 3})", 400, "input", "invalid_type"},
      {"empty", R"({"input": ""})", 400, "input", "invalid_value"},
      {"unknown", R"({"input": "a", "inputs": 1})", 400, "inputs", "unknown_parameter"},
  };
  for (const BadInput& bad : table) {
    const Answer answer = ask(test.config.socket, post("/v1/moderations", bad.body));
    EXPECT_EQ(answer.status, bad.status) << bad.note;
    EXPECT_EQ(answer.param(), bad.param) << bad.note;
    EXPECT_EQ(answer.code(), bad.code) << bad.note;
  }
}

// ---- HTTP

TEST(Http, AnswersMalformedRequestsAndCloses) {
  TestDaemon test;
  struct Case {
    const char* note;
    std::string bytes;
    int status;
  };
  const Case table[] = {
      {"no HTTP", "hello there\r\n\r\n", 400},
      {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n\r\n", 400},
      {"bad version", "GET /healthz HTTP/9.9\r\n\r\n", 400},
      {"bad header", "GET /healthz HTTP/1.1\r\nno colon here\r\n\r\n", 400},
      {"bad length", "POST /v1/moderations HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400},
      {"two lengths",
       "POST /v1/moderations HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400},
      {"bad chunk", "POST /v1/moderations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       400},
      {"large header", "GET /healthz HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
      {"large body announced", "POST /v1/moderations HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
       413},
      {"large body sent", post("/v1/moderations", std::string(2 << 20, ' ')), 413},
  };
  for (const Case& bad : table) {
    Connection connection(test.config.socket);
    connection.send(bad.bytes);
    const Answer answer = connection.receive();
    EXPECT_EQ(answer.status, bad.status) << bad.note;
    EXPECT_FALSE(answer.message().empty()) << bad.note;
    EXPECT_TRUE(connection.closed()) << bad.note;
  }
  EXPECT_EQ(ask(test.config.socket, get("/healthz")).status, 200);
}

TEST(Http, ServesManyRequestsOnOneConnectionAlsoPipelined) {
  TestDaemon test;
  Connection connection(test.config.socket);
  connection.send(generation(kCleanPrompt) + get("/healthz") + get("/v1/models"));
  EXPECT_EQ(connection.receive().status, 200);
  EXPECT_EQ(text_at(connection.receive().body, "status"), "ok");
  EXPECT_EQ(text_at(connection.receive().body, "object"), "list");
}

TEST(Http, ReadsChunkedBodiesAndAnswersExpect) {
  TestDaemon test;
  Connection connection(test.config.socket);
  connection.send(
      "POST /v1/moderations HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_EQ(connection.receive().status, 100);
  connection.send("8\r\n{\"input\"\r\n7\r\n: \"hi\"}\r\n0\r\n\r\n");
  EXPECT_EQ(connection.receive().status, 200);
}

TEST(Http, ClosesOnAClientThatTakesItsTimeAndServesTheOthers) {
  TestDaemon test([](Config& config, DaemonParts&) {
    config.limits.header_timeout = 300ms;
    config.limits.body_timeout = 300ms;
    config.limits.idle_timeout = 300ms;
  });
  Connection in_header(test.config.socket);
  Connection in_body(test.config.socket);
  Connection idle(test.config.socket);
  in_body.send("POST /v1/moderations HTTP/1.1\r\nContent-Length: 50\r\n\r\n{");
  const auto start = std::chrono::steady_clock::now();
  // A byte now and then does not buy more time.
  const std::string request = get("/healthz");
  for (std::size_t i = 0; i < 20 && in_header.send(request.substr(i, 1)); ++i) {
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(ask(test.config.socket, get("/healthz")).status, 200);
  }
  EXPECT_TRUE(in_header.closed());
  EXPECT_TRUE(in_body.closed());
  EXPECT_TRUE(idle.closed());
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST(Http, TurnsAwayOneConnectionTooMany) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.connections_max = 3; });
  std::vector<Connection> held;
  for (int i = 0; i < 3; ++i) {
    held.emplace_back(test.config.socket);
    held.back().send(get("/healthz"));
    EXPECT_EQ(held.back().receive().status, 200);
  }
  const Answer answer = ask(test.config.socket, get("/healthz"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "too_many_connections");
  held.pop_back();
  EXPECT_TRUE(eventually([&] { return ask(test.config.socket, get("/healthz")).status == 200; }));
}

// ---- Queue, hang-up, deadline

TEST(Queue, AnswersOverloadedAtOnceWhenFull) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.queue_size_max = 2; });
  test.pace->close_gate();
  std::vector<Connection> accepted;
  accepted.emplace_back(test.config.socket);
  accepted.back().send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  for (int i = 0; i < 2; ++i) {
    accepted.emplace_back(test.config.socket);
    accepted.back().send(generation(kCleanPrompt));
  }
  ASSERT_TRUE(eventually([&] {
    return ask(test.config.admin_socket, get("/v1/status")).body.at("queue").at("waiting") ==
           json::value(2);
  }));
  const auto start = std::chrono::steady_clock::now();
  const Answer answer = ask(test.config.socket, generation(kCleanPrompt));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.code(), "queue_full");
  EXPECT_FALSE(answer.header("Retry-After").empty());
  test.pace->open_gate();
  for (Connection& connection : accepted) EXPECT_EQ(connection.receive().status, 200);
  EXPECT_EQ(test.rows().size(), 3u);  // what was turned away was not accepted
}

TEST(HangUp, EndsTheJobWithinTwoStepsAndItsRowSaysSo) {
  TestDaemon test;
  test.pace->close_gate();
  Connection connection(test.config.socket);
  connection.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  connection.hang_up();
  // Steps pass until the row is there: no more than one after the stop.
  ASSERT_TRUE(eventually([&] {
    if (!test.rows().empty()) return true;
    std::this_thread::sleep_for(50ms);
    test.pace->allow_step();
    return false;
  }));
  EXPECT_LE(test.pace->steps_after_stop, 2);
  const auto rows = test.rows();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].outcome, "cancelled");
  EXPECT_NE(rows[0].reason.find("the client hung up"), std::string::npos) << rows[0].reason;
}

TEST(HangUp, InTheQueueFreesThePlaceAndIsRecorded) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.queue_size_max = 1; });
  test.pace->close_gate();
  Connection working(test.config.socket);
  working.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  Connection waiting(test.config.socket);
  waiting.send(generation(kCleanPrompt));
  const auto queued = [&] {
    return ask(test.config.admin_socket, get("/v1/status"))
        .body.at("queue")
        .at("waiting")
        .to_number<int>();
  };
  ASSERT_TRUE(eventually([&] { return queued() == 1; }));
  waiting.hang_up();
  ASSERT_TRUE(eventually([&] { return queued() == 0; }));
  Connection next(test.config.socket);
  next.send(generation(kCleanPrompt));
  ASSERT_TRUE(eventually([&] { return queued() == 1; }));
  test.pace->open_gate();
  EXPECT_EQ(working.receive().status, 200);
  EXPECT_EQ(next.receive().status, 200);
  test.stop();
  std::multiset<std::string> outcomes;
  for (const auto& row : test.rows()) outcomes.insert(row.outcome);
  EXPECT_EQ(outcomes, (std::multiset<std::string>{"answered", "answered", "cancelled"}));
  EXPECT_EQ(test.pace->generations, 2);
}

TEST(HangUp, IsNotAClientThatOnlyEndedItsSending) {
  TestDaemon test;
  test.pace->close_gate();
  Connection connection(test.config.socket);
  connection.send(generation(kCleanPrompt));
  connection.half_close();
  ASSERT_TRUE(test.pace->wait_until_working());
  std::this_thread::sleep_for(100ms);
  test.pace->open_gate();
  EXPECT_EQ(connection.receive().status, 200);
}

TEST(Deadline, PassesForTheJobAtWorkAndForOneInTheQueue) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.deadline = 300ms; });
  test.pace->close_gate();
  Connection working(test.config.socket);
  working.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  Connection waiting(test.config.socket);
  waiting.send(generation(kCleanPrompt));
  const Answer waited = waiting.receive();  // at once, although the worker still works
  EXPECT_EQ(waited.status, 504);
  EXPECT_EQ(waited.code(), "deadline_exceeded");
  test.pace->open_gate();
  EXPECT_EQ(working.receive().status, 504);
  test.stop();
  const auto rows = test.rows();
  ASSERT_EQ(rows.size(), 2u);
  for (const auto& row : rows) {
    EXPECT_EQ(row.outcome, "cancelled");
    EXPECT_NE(row.reason.find("its deadline passed"), std::string::npos) << row.reason;
  }
}

// ---- Fail closed

TEST(FailClosed, AnAuditLogThatCannotBeWrittenLetsNoPictureOut) {
  TestDaemon test;
  test.pace->audit_throws = true;
  const Answer answer = ask(test.config.socket, generation(kCleanPrompt));
  EXPECT_EQ(answer.status, 503);
  EXPECT_FALSE(answer.body.as_object().contains("data"));
  EXPECT_EQ(ask(test.config.socket, post("/v1/moderations", R"({"input": "a"})")).status, 503);
  test.pace->audit_throws = false;
  EXPECT_EQ(ask(test.config.socket, generation(kCleanPrompt)).status, 200);
  EXPECT_TRUE(test.verify().intact);
}

TEST(FailClosed, AReaderThatFailsLetsNoPictureOut) {
  TestDaemon test;
  test.pace->ocr_throws = true;
  const Answer answer = ask(test.config.socket, generation(kCleanPrompt));
  EXPECT_EQ(answer.status, 503);
  EXPECT_FALSE(answer.body.as_object().contains("data"));
  EXPECT_EQ(test.rows().at(0).outcome, "failed");
}

TEST(FailClosed, APipelineThatThrowsIsAnInternalErrorAndTheNextRequestIsServed) {
  TestDaemon test;
  test.pace->throws = true;
  EXPECT_EQ(ask(test.config.socket, generation(kCleanPrompt)).status, 500);
  test.pace->throws = false;
  EXPECT_EQ(ask(test.config.socket, generation(kCleanPrompt)).status, 200);
  EXPECT_EQ(test.rows().at(1).outcome, "failed");
}

TEST(FailClosed, APartThatCannotBeOpenedKeepsTheDaemonUpAndNotReadyUntilItCan) {
  auto broken = std::make_shared<std::atomic<bool>>(true);
  TestDaemon test(
      [broken](Config&, DaemonParts& parts) {
        parts.engine.load_pipeline = [broken, load = parts.engine.load_pipeline] {
          if (*broken) {
            throw ConfigError("unet/weights.safetensors", 0, "conv_in.weight",
                              "expected F32 [64, 8, 3, 3], found F32 [64, 4, 3, 3]");
          }
          return load();
        };
      },
      false);
  ASSERT_TRUE(eventually([&] {
    return ask(test.config.socket, get("/readyz")).message().find("conv_in.weight") !=
           std::string::npos;
  }));
  const Answer ready = ask(test.config.socket, get("/readyz"));
  EXPECT_EQ(ready.status, 503);
  EXPECT_NE(ready.message().find("unet/weights.safetensors"), std::string::npos);
  EXPECT_NE(ready.message().find("expected F32 [64, 8, 3, 3], found"), std::string::npos);
  const Answer answer = ask(test.config.socket, generation(kCleanPrompt));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "not_ready");
  EXPECT_EQ(ask(test.config.socket, get("/healthz")).status, 200);
  *broken = false;
  test.daemon->reload();
  EXPECT_TRUE(test.wait_until_ready());
  EXPECT_EQ(ask(test.config.socket, generation(kCleanPrompt)).status, 200);
}

TEST(FailClosed, ReadinessNamesEachPartThatFailed) {
  struct Case {
    const char* part;
    std::function<void(Config&, DaemonParts&)> change;
  };
  const Case table[] = {
      {"ocr: no such language",
       [](Config&, DaemonParts& parts) {
         parts.engine.open_ocr = []() -> std::unique_ptr<guard::Ocr> {
           throw ConfigError("eng.traineddata", 0, "", "no such language");
         };
       }},
      {"audit: ",
       [](Config& config, DaemonParts& parts) {
         const fs::path state = config.state_dir;
         std::ofstream(state) << "a file, not a folder";
         parts.engine.open_audit = [state] { return guard::AuditLog::open(state); };
       }},
      {"policy: ",
       [](Config& config, DaemonParts&) { config.policy = "/nonexistent/policy.toml"; }},
  };
  for (const Case& failing : table) {
    TestDaemon test(failing.change, false);
    const std::string name =
        std::string(failing.part).substr(0, std::string(failing.part).find(':'));
    EXPECT_TRUE(eventually([&] {
      const Answer ready = ask(test.config.socket, get("/readyz"));
      return ready.status == 503 && ready.message().find(name + ": loading") == std::string::npos &&
             ready.message().find(name + ": ") != std::string::npos;
    })) << failing.part;
    const Answer answer = ask(test.config.socket, generation(kCleanPrompt));
    EXPECT_EQ(answer.status, 503) << failing.part;
    EXPECT_EQ(test.pace->generations, 0) << failing.part;
  }
}

// ---- Life

TEST(Drain, AnswersWhatWasAcceptedAndTakesNoMore) {
  auto test = std::make_unique<TestDaemon>();
  test->pace->close_gate();
  std::vector<Connection> accepted;
  for (int i = 0; i < 3; ++i) {
    accepted.emplace_back(test->config.socket);
    accepted.back().send(generation(kCleanPrompt));
  }
  Connection idle(test->config.socket);
  ASSERT_TRUE(eventually([&] {
    return ask(test->config.admin_socket, get("/v1/status")).body.at("queue").at("waiting") ==
           json::value(2);
  }));
  test->daemon->stop();
  EXPECT_TRUE(idle.closed());
  EXPECT_THROW(Connection(test->config.socket), std::runtime_error);
  EXPECT_FALSE(test->ended());
  test->pace->open_gate();
  for (Connection& connection : accepted) {
    const Answer answer = connection.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Connection"), "close");
  }
  test->stop();
  EXPECT_EQ(test->rows().size(), 3u);
  EXPECT_FALSE(fs::exists(test->config.socket));
  EXPECT_FALSE(fs::exists(test->config.admin_socket));
}

TEST(Drain, StopsWhatIsNotDoneWithinTheGrace) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.drain_grace = 200ms; });
  test.pace->close_gate();
  Connection working(test.config.socket);
  working.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  Connection waiting(test.config.socket);
  waiting.send(generation(kCleanPrompt));
  ASSERT_TRUE(eventually([&] {
    return ask(test.config.admin_socket, get("/v1/status")).body.at("queue").at("waiting") ==
           json::value(1);
  }));
  test.daemon->stop();
  EXPECT_EQ(waiting.receive().status, 503);
  test.pace->open_gate();
  EXPECT_EQ(working.receive().status, 503);
  test.stop();
  const auto rows = test.rows();
  ASSERT_EQ(rows.size(), 2u);
  for (const auto& row : rows) {
    EXPECT_NE(row.reason.find("the daemon is stopping"), std::string::npos) << row.reason;
  }
}

TEST(Sockets, AreGivenTheirPermissions) {
  TestDaemon test;
  struct stat status;
  ASSERT_EQ(::stat(test.config.admin_socket.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(test.config.socket.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
}

TEST(Sockets, AStaleFileIsReplacedAndALiveOneIsNot) {
  TestDaemon first;
  Config config = first.config;
  config.state_dir = first.dir.path() / "other";
  EXPECT_THROW(Daemon(config, {}), ConfigError);
  EXPECT_EQ(ask(first.config.socket, get("/healthz")).status, 200);

  TemporaryDir dir;
  const fs::path stale = dir.path() / "stale.sock";
  {
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::acceptor left_over(
        io, boost::asio::local::stream_protocol::endpoint(stale.string()));
  }
  ASSERT_TRUE(fs::exists(stale));
  TestDaemon second([&](Config& changed, DaemonParts&) { changed.socket = stale; });
  EXPECT_EQ(ask(stale, get("/healthz")).status, 200);

  std::ofstream(dir.path() / "file") << "not a socket";
  config.socket = dir.path() / "file";
  EXPECT_THROW(Daemon(config, {}), ConfigError);
  EXPECT_TRUE(fs::exists(config.socket));
}

// ---- systemd's ear

// Takes the daemon's notifications while it lives. Reads all the time, as systemd does: sd_notify
// waits where the queue is full.
class NotifySocket {
 public:
  explicit NotifySocket(const fs::path& path)
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("bind failed");
    }
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "90000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    reader_ = std::jthread([this](std::stop_token stop) {
      for (; !stop.stop_requested(); std::this_thread::sleep_for(5ms)) drain();
    });
  }
  ~NotifySocket() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    reader_ = {};
    ::close(fd_);
  }
  // How many pings came since the last call.
  int pings() { return pings_.exchange(0); }

 private:
  void drain() {
    char bytes[4096];
    for (ssize_t length = 0; (length = ::recv(fd_, bytes, sizeof bytes, 0)) > 0;) {
      if (std::string_view(bytes, static_cast<std::size_t>(length)).starts_with("WATCHDOG=1"))
        ++pings_;
    }
  }

  int fd_;
  std::atomic<int> pings_ = 0;
  std::jthread reader_;
};

TEST(Watchdog, IsFedOnlyWhileTheWorkerMakesSteps) {
  TemporaryDir dir;
  NotifySocket systemd(dir.path() / "notify");
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.worker_stall = 1s; });
  EXPECT_TRUE(eventually([&] { return systemd.pings() > 0; }));
  test.pace->close_gate();
  Connection connection(test.config.socket);
  connection.send(generation(kCleanPrompt));
  ASSERT_TRUE(test.pace->wait_until_working());
  std::this_thread::sleep_for(1500ms);  // longer than a stall
  systemd.pings();
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(systemd.pings(), 0);
  EXPECT_EQ(ask(test.config.socket, get("/healthz")).status, 200);  // though the sockets answer
  test.pace->open_gate();
  EXPECT_EQ(connection.receive().status, 200);
  EXPECT_TRUE(eventually([&] { return systemd.pings() > 0; }));
}

// ---- Policy and admin

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

TEST(Load, AHundredClientsAreAllAnsweredAndRecordedOnce) {
  constexpr int kClients = 100;
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.queue_size_max = kClients; });
  std::vector<std::thread> clients;
  std::atomic<int> answered = 0;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const std::string& prompt = i % 2 == 0 ? kCleanPrompt : kToxicPrompt;
      if (ask(test.config.socket, generation(prompt)).status == 200) ++answered;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, kClients);
  const auto rows = test.rows();
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(kClients));
  std::set<std::string> ids;
  for (const auto& row : rows) ids.insert(row.request_id);
  EXPECT_EQ(ids.size(), rows.size());
  EXPECT_TRUE(test.verify().intact) << test.verify().message;
}

TEST(Load, ClientsThatComeAndGoLeaveTheDaemonServing) {
  TestDaemon test([](Config& config, DaemonParts&) { config.limits.queue_size_max = 4; });
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        Connection connection(test.config.socket);
        const std::string request = generation(kToxicPrompt);
        connection.send(
            request.substr(0, request.size() - static_cast<std::size_t>((i + round) % 3)));
        if ((i + round) % 2 == 0) std::this_thread::sleep_for(1ms);
        connection.hang_up();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(
      eventually([&] { return ask(test.config.socket, generation(kCleanPrompt)).status == 200; }));
  test.stop();
  EXPECT_TRUE(test.verify().intact);
  EXPECT_EQ(test.rows().front().outcome, "answered");
}

}  // namespace
}  // namespace glyphward::daemon::testing
