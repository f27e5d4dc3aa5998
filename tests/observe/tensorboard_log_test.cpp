// The log for TensorBoard: of hand-made epochs, of runs that are stopped and resumed, and as TensorBoard itself reads
// it.

#include "support/training.hpp"

#include "support/event_file.hpp"
#include "support/python.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace tensorboard_log_test {

namespace {

using namespace training;
using Points = std::vector<std::pair<std::int64_t, float>>;
using rg::TensorBoardLog;

/// Tells `log` that a run begins, or goes on after `history`.
void begin(TensorBoardLog& log, const rg::History& history = {}, const std::vector<std::string>& measures = {},
           const std::vector<std::string>& phases = {"a"}) {
  const std::vector<std::int64_t> epochs(phases.size(), 10);
  const std::function<std::string()> manifest = [] { return std::string("{}"); };
  log(rg::RunBegin{.phases = phases, .epochs = epochs, .measures = measures, .history = history, .manifest = manifest});
}

rg::Epoch epoch_of(int phase, const std::string& name, int number) {
  return {.clock = {.phase = phase, .epoch = number, .step = 10 * number},
          .phase = name,
          .train_loss = 1.0 / number,
          .learning_rate = 0.1,
          .seconds = 0.37 * number};
}

/// Two epochs of "a", one of "b"; the second is scored.
rg::History three_epochs() {
  rg::History history;
  history.epochs = {epoch_of(0, "a", 1), epoch_of(0, "a", 2), epoch_of(1, "b", 1)};
  history.epochs[1].test = {.accuracy = 0.75, .loss = 0.5, .samples = 4};
  history.epochs[1].measures = {{"norm", 2}, {"nothing", rg::unknown}};
  return history;
}

/// Two phases, scored every other epoch; a resume needs objects of its own.
struct Experiment {
  torch::nn::Sequential net = network(21);
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9)};
  rg::Source train = points(44, 11);
  rg::Scoring scoring{.clean = train, .test = points(30, 12), .every = 2, .fit_every = 1};
  rg::Phase memorize{.name = "memorize",
                     .data = rg::frozen(train, rg::UniformLabels{.classes = 3}, 5),
                     .optimizer = sgd,
                     .epochs = 3,
                     .batch = 16,
                     .seed = 1};
  rg::Phase escape{.name = "escape", .data = train, .optimizer = sgd, .epochs = 3, .batch = 16, .seed = 2};

  Experiment() {
    scoring.measures = {{"l2", rg::l2_norm}, {"ends, \"odd\"/name", [](const rg::Model&) { return 1.5; }}};
  }
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  template <class... Observers>
  rg::History run(const rg::RunOptions& options, Observers&&... observers) {
    return rg::run(net, {memorize, escape}, scoring, options, observers...);
  }
};

}  // namespace

TEST_CASE("TensorBoardLog: the tags, steps and phases of a history") {
  const Folder folder;
  TensorBoardLog log(folder / "run.tfevents");
  begin(log, three_epochs());
  const auto events = event_file::read(log.path());
  CHECK(events[0].version == "brain.Event:2");
  CHECK(events[1].plugin == "custom_scalars");
  CHECK((event_file::scalars(events, "loss/train") == Points{{1, 1.0F}, {2, 0.5F}, {3, 1.0F}}));
  CHECK((event_file::scalars(events, "learning_rate") == Points{{1, 0.1F}, {2, 0.1F}, {3, 0.1F}}));
  CHECK((event_file::scalars(events, "accuracy/test") == Points{{2, 0.75F}}));
  CHECK((event_file::scalars(events, "loss/test") == Points{{2, 0.5F}}));
  CHECK(event_file::scalars(events, "accuracy/fit").empty());
  CHECK((event_file::scalars(events, "measures/norm") == Points{{2, 2.0F}}));
  CHECK(event_file::scalars(events, "measures/nothing").empty());
  CHECK((event_file::scalars(events, "phase/index") == Points{{1, 0.0F}, {2, 0.0F}, {3, 1.0F}}));
  CHECK((event_file::scalars(events, "phase/epoch") == Points{{1, 1.0F}, {2, 2.0F}, {3, 1.0F}}));
  CHECK((event_file::scalars(events, "phase/step") == Points{{1, 10.0F}, {2, 20.0F}, {3, 10.0F}}));
  std::vector<std::pair<std::int64_t, std::string>> names;
  for (const event_file::Event& event : events) {
    CHECK(event.wall_time == static_cast<double>(event.step));
    if (event.tag == "phase/name") {
      names.emplace_back(event.step, event.text);
    }
  }
  CHECK((names == std::vector<std::pair<std::int64_t, std::string>>{{1, "a"}, {3, "b"}}));
}

TEST_CASE("TensorBoardLog: a run that diverged shows it") {
  const Folder folder;
  TensorBoardLog log(folder / "run.tfevents");
  begin(log);
  rg::Epoch epoch = epoch_of(0, "a", 1);
  epoch.train_loss = std::numeric_limits<double>::infinity();
  log(epoch);
  CHECK(std::isinf(event_file::scalars(event_file::read(log.path()), "loss/train")[0].second));
}

TEST_CASE("TensorBoardLog: epoch by epoch, at once, and after a resume the bytes are the same") {
  const Folder folder;
  const rg::History history = three_epochs();
  TensorBoardLog at_once(folder / "at_once.tfevents");
  begin(at_once, history);
  const std::string expected = content_of(at_once.path());

  TensorBoardLog log(folder / "run.tfevents");
  SECTION("epoch by epoch") {
    begin(log);
  }
  SECTION("in a loop of one's own, over an old file") {
    folder.write("run.tfevents", "an old one");
  }
  SECTION("a second run with the same object") {
    begin(log, history);
    begin(log);
  }
  for (const rg::Epoch& epoch : history) {
    log(epoch);
  }
  CHECK((content_of(log.path()) == expected));
  // Resumed after the first epoch by an object of its own, over what the first one has left.
  for (const std::size_t left : {expected.size(), expected.size() - 5, std::size_t{3}, std::size_t{0}}) {
    CAPTURE(left);
    folder.write("run.tfevents", expected.substr(0, left));
    rg::History part = history;
    part.epochs.resize(1);
    TensorBoardLog resumed(folder / "run.tfevents");
    begin(resumed, part);
    CHECK(expected.starts_with(content_of(resumed.path())));
    resumed(history.epochs[1]);
    resumed(history.epochs[2]);
    CHECK((content_of(log.path()) == expected));
  }
}

TEST_CASE("TensorBoardLog: a resume keeps the file that a TensorBoard has open; a new run takes another") {
  const Folder folder;
  TensorBoardLog log(folder / "run.tfevents");
  begin(log, three_epochs());
  std::ifstream open(log.path(), std::ios::binary);
  rg::History part = three_epochs();
  part.epochs.resize(1);
  begin(log, part);
  log(three_epochs().epochs[1]);
  const auto read = [&open] {
    open.clear();
    open.seekg(0);
    return std::string(std::istreambuf_iterator<char>(open), {});
  };
  CHECK((read() == content_of(log.path())));
  begin(log);
  CHECK(read().size() > content_of(log.path()).size());
}

TEST_CASE("TensorBoardLog: a run that is stopped and resumed anywhere has the bytes of one that was not") {
  const Folder folder;
  Experiment whole;
  whole.run({}, TensorBoardLog(folder / "whole.tfevents"));
  const std::string expected = content_of(folder / "whole.tfevents");
  for (int after = 1; after <= 5; ++after) {
    CAPTURE(after);
    std::stop_source stop;
    Experiment first;
    rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, first.net, first.sgd);
    int epochs = 0;
    const auto stopping = [&](const rg::Epoch&) {
      if (++epochs == after) {
        stop.request_stop();
      }
    };
    first.run({.stop = stop.get_token()}, keep, stopping, TensorBoardLog(folder / "run.tfevents"));
    folder.write("run.tfevents", content_of(folder / "run.tfevents") + "what came after the checkpoint");
    Experiment second;
    const rg::State state = rg::load_checkpoint(folder / "run.pt", second.net, second.sgd);
    second.run({.from = state}, TensorBoardLog(folder / "run.tfevents"));
    CHECK((content_of(folder / "run.tfevents") == expected));
  }
}

TEST_CASE("TensorBoardLog: misuse is an error before the first step") {
  const Folder folder;
  CHECK(error_of([] { TensorBoardLog("results/board"); }) ==
        "TensorBoardLog.path must have \"tfevents\" in the name of its file (\"results/board/run.tfevents\"), or "
        "TensorBoard does not look into it, but is \"results/board\"");
  TensorBoardLog log(folder / "run.tfevents");
  CHECK(error_of([&] { begin(log, {}, {"\xE9t\xE9"}); }) ==
        "TensorBoardLog: the name of a measure must be UTF-8, or TensorBoard stops reading there, but is "
        "\"\xE9t\xE9\"");
  CHECK(error_of([&] { begin(log, {}, {}, {"\xE9"}); }) ==
        "TensorBoardLog: the name of a phase must be UTF-8, or TensorBoard stops reading there, but is \"\xE9\"");
  CHECK(!std::filesystem::exists(log.path()));
}

TEST_CASE("TensorBoardLog: TensorBoard reads what the CSV log says") {
  const std::optional<std::string> python =
      python_with("tensorboard.backend.event_processing.event_accumulator", "TensorBoard", "REGIMEN_REQUIRE_PEERS");
  if (!python) {
    return;
  }
  const Folder folder;
  Experiment experiment;
  experiment.run({}, TensorBoardLog(folder / "run.tfevents"), rg::CsvLog(folder / "epochs.csv"));
  rg::TensorBoardFile extra(folder / "extra.tfevents");
  extra.histogram("margin", 1, std::vector<double>{-1, 0, 1, 1, 3}, 4);
  extra.image("grid", 1, {.height = 2, .width = 3, .channels = 1, .bytes = {1, 2, 3, 4, 5, 6}});
  extra.text("note", 1, "**caf\xC3\xA9**");
  extra.scalar("odd \xC3\xA9/tag", 1, rg::unknown);
  CHECK(run_python(*python, "observe/read_tensorboard.py",
                   {folder / "run.tfevents", folder / "epochs.csv", folder / "extra.tfevents"}));
}

}  // namespace tensorboard_log_test
