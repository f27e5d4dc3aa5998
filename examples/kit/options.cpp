#include "options.hpp"

#include <cmath>
#include <cstdlib>
#include <map>
#include <vector>

#include <regimen/experiment/errors.hpp>
#include <regimen/experiment/exit_status.hpp>

#include "data.hpp"

namespace kit {

CLI::Validator bound(const std::string& words, bool (*holds)(double)) {
  return CLI::Validator(
      [words, holds](const std::string& text) {
        double value = 0;
        const bool number = CLI::detail::lexical_cast(text, value);
        return number && holds(value) ? std::string() : "must be " + words + ", but is " + text;
      },
      "");
}

CLI::Validator at_least_0() {
  return bound("at least 0", [](double value) { return value >= 0 && std::isfinite(value); });
}
CLI::Validator at_least_1() {
  return bound("at least 1", [](double value) { return value >= 1; });
}

CLI::Validator share() {
  return bound("in [0, 1]", [](double value) { return value >= 0 && value <= 1; });
}
CLI::Validator some_share() {
  return bound("in (0, 1]", [](double value) { return value > 0 && value <= 1; });
}
CLI::Validator below_1() {
  return bound("in [0, 1)", [](double value) { return value >= 0 && value < 1; });
}

namespace {

const std::map<std::string, regimen::experiment::UnitList>& unit_lists() {
  using regimen::experiment::UnitList;
  static const std::map<std::string, UnitList> lists{
      {"names", UnitList::names}, {"json", UnitList::json}, {"tsv", UnitList::tsv}};
  return lists;
}

}  // namespace

void take_last(CLI::App& app) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void add_task(CLI::App& app, regimen::experiment::Task& task, const std::string& budget) {
  app.add_flag("--resume", task.resume, "go on where an interrupted run with the same options was");
  app.add_flag("--quiet", task.quiet, "no progress: only the first line, the plan, the table and errors");
  app.add_option("--budget", task.budget,
                 (budget.empty() ? "" : budget + "; ") +
                     std::string("with --unit: the time, such as 55m, after which the unit is saved and stopped"))
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}},
                                        CLI::AsNumberWithUnit::CASE_INSENSITIVE))
      ->check(at_least_0());
  const std::string group = "Several processes on one results folder";
  app.add_option_function<std::string>(
         "--list", [&task](const std::string& as) { task.list = unit_lists().at(as); },
         "print the units, which need nothing of each other, and end: names (the default), json or tsv")
      ->expected(0, 1)
      ->default_str("names")
      ->check(CLI::IsMember(unit_lists()))
      ->group(group);
  app.add_option("--unit", task.unit,
                 "train this one of them alone, or go on with it: one job of xargs or of a SLURM array. A name, or "
                 "@VARIABLE of the environment, which holds a name, an index from 1, or an item of --list json")
      ->check(CLI::Validator([](const std::string& word) { return word.empty() ? "must name a unit" : ""; }, ""))
      ->group(group);
  if (budget.empty()) {
    app.get_option("--budget")->needs("--unit");
  }
  app.add_option("--pack", task.pack, "the index of --unit @VARIABLE counts packs of so many units, side by side")
      ->check(at_least_1())
      ->group(group);
  app.add_option("--requeue-status", task.requeue_status,
                 "exit status of a unit that was stopped and can go on (default: 85, HTCondor's; 99 is Grid Engine's)")
      ->check(CLI::Range(1, 255))
      ->group(group);
  app.add_flag("--collect", task.collect, "tables and pictures of the units that are complete, and end")->group(group);
  const std::string hidden;
  app.add_flag("--worker", task.worker, "tell what is done on stdout: for the process that started this one")
      ->group(hidden);
  app.add_flag("--pace", task.pace, "measure how fast a worker trains, and end")->group(hidden);
}

void add_from(CLI::App& app, regimen::experiment::Task& task) {
  app.add_option("--from", task.from,
                 "train nothing: show what results.csv and epochs.csv in this folder tell once more, in --out, a new "
                 "folder; the other options as they were");
}

void add_data(CLI::App& app, DataOptions& data, const std::vector<std::string>& more) {
  std::vector<std::string> names = data_names();
  names.insert(names.end(), more.begin(), more.end());
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
  }
  app.add_option("--data", data.name, list)->check(CLI::IsMember(names))->capture_default_str();
  app.add_option("--root", data.root, "folder of the data (default: where Debian's package puts Fashion-MNIST)");
}

void add_machine(CLI::App& app, Machine& machine, const std::string& threads_by_default) {
  app.add_option("--device", machine.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--precision", machine.precision, "auto, fp32 or bf16 (auto: bf16 on a GPU)")
      ->check(CLI::IsMember({"auto", "fp32", "bf16"}))
      ->capture_default_str();
  app.add_option("--workers", machine.workers,
                 "processes side by side, each with a unit of its own (default: one a processor, but no more than "
                 "units; on a GPU 1)")
      ->check(at_least_1());
  app.add_option("--threads", machine.threads,
                 "CPU threads of each (default: " + threads_by_default + "); more than 1 means fewer workers")
      ->check(at_least_1());
}

void parse(CLI::App& app, int argc, char** argv, regimen::experiment::Task& task) {
  task.words.assign(argv, argv + argc);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    std::exit(app.exit(stop) == 0 ? regimen::experiment::ExitStatus::done : regimen::experiment::ExitStatus::usage);
  }
  if (task.pack > 1 && task.unit.empty() && !task.lists()) {
    throw regimen::experiment::UsageError(
        "--pack: packs are counted by an index, as in --unit @SLURM_ARRAY_TASK_ID, and there is no --unit");
  }
}

}  // namespace kit
