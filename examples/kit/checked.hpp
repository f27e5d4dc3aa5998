#pragma once

#include <CLI/CLI.hpp>

#include <regimen/base/error.hpp>
#include <regimen/experiment/conduct.hpp>
#include <regimen/experiment/task.hpp>

#include "claims.hpp"
#include "main.hpp"
#include "options.hpp"

namespace kit {

/// The command line of a program whose statements can be checked.
template <class Settings>
struct CheckedOptions : Options<Settings> {
  bool check = false;
};

/// --check, and the options of the task.
template <class Settings>
void add_checked_task(CLI::App& app, CheckedOptions<Settings>& options) {
  app.add_flag("--check", options.check, "end with an error if a statement does not come out");
  add_task(app, options.task);
}

/// An experiment of the kind `Base` with statements to confirm. A program says them in `told`, in place of `show`.
template <class Base>
class Checked : public Base {
 public:
  using Base::Base;

  void show(const regimen::experiment::Results& results) final {
    claims_ = told(results);
    const regimen::experiment::Plan all = this->plan({});
    claims_.set_missing(all.size() - regimen::experiment::complete_units(all, results));
  }

  /// Makes tables and pictures of the finished jobs, and returns what they say of the statements.
  [[nodiscard]] virtual Claims told(const regimen::experiment::Results& results) = 0;

  /// What the results say of the statements.
  [[nodiscard]] const Claims& claims() const { return claims_; }

 private:
  Claims claims_{};
};

/// Conducts an experiment. With `check`, the program's --check, it throws regimen::Error afterwards unless all units
/// are complete and all statements hold; the results folder is complete then, whatever they say.
template <class Base>
void conduct_checked(Checked<Base>& experiment, const regimen::experiment::Task& task,
                     const regimen::experiment::Conduct& how, bool check) {
  if (check && !task.unit.empty() && !task.worker) {
    throw regimen::experiment::UsageError("--check looks at all units, and --unit trains one: leave out one of them");
  }
  regimen::experiment::conduct(experiment, task, how);
  if (check && !task.worker && !task.lists() && !task.pace) {
    experiment.claims().require_all();
  }
}

}  // namespace kit
