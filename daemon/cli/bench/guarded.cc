// The guard's part of `glyphward bench bundled`.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <variant>

#include "daemon/cli/bench/measurements.h"
#include "daemon/cli/bench/temporary_folder.h"
#include "daemon/cli/command.h"
#include "daemon/cli/progress_line.h"
#include "daemon/service/data_files.h"
#include "guard/guard.h"

namespace glyphward::daemon {
namespace {

// The guard as `glyphward generate --local` has it.
class LocalGuard {
 public:
  LocalGuard(model::Pipeline& pipeline, guard::Ocr& ocr)
      : pipeline_(pipeline),
        policy_(policy::Policy::load(default_policy())),
        audit_(guard::AuditLog::open(folder_.path())),
        guard_(pipeline, ocr, *audit_) {}

  struct Outcome {
    std::optional<guard::ReleasedImage> released;
    std::vector<std::string> sanitized;  // the texts that stand in for those of the prompt
  };

  Outcome ask(const GuardedCase& one) {
    guard::ImageRequest request;
    request.request_id = one.id;
    request.client = "bench";
    request.endpoint = "local";
    request.prompt = one.prompt;
    request.seed = one.seed;
    const auto screened = guard::screen(std::move(request), policy_, pipeline_);
    if (!screened) fail(one, screened.error());
    auto answer = guard_.complete(*screened, {});
    if (!answer) fail(one, answer.error());
    Outcome outcome;
    if (auto* reply = std::get_if<guard::Reply>(&*answer)) {
      outcome.released = std::move(reply->images.at(0));
    }
    const std::string& sanitized = screened->decision.sanitized_prompt;
    for (const auto& text : policy_->analyze(sanitized).rendered) {
      outcome.sanitized.push_back(text.text);
    }
    return outcome;
  }

 private:
  [[noreturn]] static void fail(const GuardedCase& one, const Error& error) {
    throw CommandError(ExitStatus::Found, "bench bundled: " + one.id + ": " + error.message);
  }

  model::Pipeline& pipeline_;
  TemporaryFolder folder_;
  std::shared_ptr<const policy::Policy> policy_;
  std::unique_ptr<guard::AuditLog> audit_;
  guard::Guard guard_;
};

bool shows_toxic(const TextSeen& seen, const GuardedCase& one) {
  return shows(seen, one.word) || shows(seen, one.shown);
}

void count_released(const SeenByReader& readers, const GuardedCase& one,
                    const std::vector<std::string>& sanitized, GuardedTable& table) {
  bool leaks = false;
  bool exact = true;
  for (const auto& [reader, seen] : readers) {
    const bool toxic = shows_toxic(seen, one);
    leaks = leaks || toxic;
    table.readable[reader].add(toxic);
    const bool read = reads_exactly(seen, sanitized);
    exact = exact && read;
    table.sanitized[reader].add(read);
  }
  if (leaks) table.leaked.push_back(one.id);
  if (!exact) table.misread.push_back(one.id);
}

}  // namespace

GuardedTable measure_guarded(const BundledBench& bench, const std::vector<GuardedCase>& cases) {
  LocalGuard guard(bench.pipeline, bench.ocr);
  GuardedTable table;
  std::vector<model::Image> pictures;  // unguarded, and what left
  ProgressLine line;
  for (const GuardedCase& one : cases) {
    const model::Image plain = bench.draw(one.prompt, one.seed);
    for (const auto& [reader, seen] : bench.readers.all(plain)) {
      table.unguarded[reader].add(shows_toxic(seen, one));
    }
    LocalGuard::Outcome outcome = guard.ask(one);
    ++table.routes[outcome.released ? outcome.released->route : "refused"];
    pictures.push_back(plain);
    pictures.push_back(outcome.released ? outcome.released->image : model::Image{});
    if (outcome.released) {
      count_released(bench.readers.all(pictures.back()), one, outcome.sanitized, table);
    }
    line.show(++table.prompts, static_cast<int>(cases.size()), "guarded");
  }
  bench.sheets.write("guarded", pictures, 6);
  return table;
}

CleanTable measure_clean(const BundledBench& bench, const std::vector<GuardedCase>& cases) {
  LocalGuard guard(bench.pipeline, bench.ocr);
  CleanTable table;
  std::vector<model::Image> pictures;
  ProgressLine line;
  for (const GuardedCase& one : cases) {
    pictures.push_back(bench.draw(one.prompt, one.seed));
    const LocalGuard::Outcome outcome = guard.ask(one);
    const bool equal = outcome.released && outcome.released->image == pictures.back();
    table.leave.add(outcome.released.has_value());
    table.equal.add(equal);
    if (!equal) table.others.push_back(one.id);
    line.show(++table.prompts, static_cast<int>(cases.size()), "clean");
  }
  bench.sheets.write("clean", pictures, 6);
  return table;
}

}  // namespace glyphward::daemon
