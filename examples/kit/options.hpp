#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include <regimen/experiment/task.hpp>

#include "image_settings.hpp"

namespace kit {

/// A validator that refuses a value outside its bound: "--momentum: must be in [0, 1), but is 1.5".
CLI::Validator bound(const std::string& words, bool (*holds)(double));
CLI::Validator at_least_0();
CLI::Validator at_least_1();
CLI::Validator share();       ///< in [0, 1]
CLI::Validator some_share();  ///< in (0, 1]
CLI::Validator below_1();     ///< in [0, 1)

/// Makes the last of an option's values count, if the option is given twice. Programs call it before they add options:
/// a worker's own options stand behind those of the command line.
void take_last(CLI::App& app);

/// --resume, --quiet, --budget, --list, --unit, --pack, --requeue-status and --collect, and what workers are told.
/// `budget`: what a budget makes smaller, and how much; empty for a program that can only stop a unit by it.
void add_task(CLI::App& app, regimen::experiment::Task& task, const std::string& budget = "");

/// --from, for programs that need no more than results.csv and epochs.csv to show their results
/// (`regimen::experiment::read_published`).
void add_from(CLI::App& app, regimen::experiment::Task& task);

/// --data and --root; `more`: names of data sets that the program has besides `data_names`.
void add_data(CLI::App& app, DataOptions& data, const std::vector<std::string>& more = {});

/// An option of several values with commas between.
template <class T>
CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<T>& values, const std::string& what) {
  return app.add_option(name, values, what + "; several with commas between")
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->capture_default_str();
}

/// --device, --precision, --workers and --threads. `threads_by_default`: the default of --threads, in words.
void add_machine(CLI::App& app, Machine& machine, const std::string& threads_by_default = "1");

/// Adds options with their defaults and checks to one group of --help; without a name to that of all others.
struct OptionGroup {
  CLI::App& app;
  std::string name = app.option_defaults()->get_group();

  template <class T>
  void operator()(const char* option, T& value, const CLI::Validator& check, const char* what) const {
    app.add_option(option, value, what)->check(check)->capture_default_str()->group(name);
  }
};

/// Reads the command line once before, for a program whose options choose the defaults of others: `add` adds its
/// options to an app. Errors are left to `parse`, which reports them.
template <class Add>
void read_first(int argc, char** argv, Add&& add) {
  CLI::App app;
  app.set_help_flag();  // a newer CLI11 answers it before it sets an option's value
  app.allow_extras();
  add(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError&) {}
}

/// Reads the command line. Ends the program with status 0 for --help, and with 2 for what it does not understand.
void parse(CLI::App& app, int argc, char** argv, regimen::experiment::Task& task);

}  // namespace kit
