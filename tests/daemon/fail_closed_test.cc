// What cannot do its work lets no picture out.
#include <gtest/gtest.h>

#include "base/config_error.h"
#include "tests/daemon/fakes.h"

namespace glyphward::daemon::testing {
namespace {

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

}  // namespace
}  // namespace glyphward::daemon::testing
