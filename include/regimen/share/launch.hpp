#pragma once
// No LibTorch.

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <string>

#include "regimen/base/error.hpp"

namespace regimen::inline v0 {

/// What a launcher of processes says in the environment: which of how many processes this one is, and where they meet.
struct Launch {
  std::string launcher = "none";  ///< "torchrun", "SLURM", "Open MPI", "MPICH", "LSF"; "none": a process of its own
  int rank = 0;                   ///< in [0, size)
  int size = 1;                   ///< number of processes, on all hosts
  int local_rank = 0;             ///< number of this process on its host: which GPU it takes
  bool one_host = true;           ///< whether all processes are on this host, as far as the launcher says
  std::string address{};          ///< host at which the processes meet; empty if the launcher names none
  int port = 0;                   ///< and its port; 0 if the launcher names none
  bool agent_store = false;       ///< torchrun's own process listens there: no rank may
};

namespace detail {

/// Reads a variable of the environment; nullptr if it is not set.
using ReadVariable = std::function<const char*(const char*)>;

/// Variables of an environment.
struct Variables {
  ReadVariable read = [](const char* name) { return std::getenv(name); };

  [[nodiscard]] bool has(const char* name) const { return read(name) != nullptr; }

  [[nodiscard]] std::string text_of(const char* name) const {
    const char* const value = read(name);
    return value == nullptr ? "" : value;
  }

  /// A whole number. Throws Error if it is none.
  [[nodiscard]] int number(const char* name, int otherwise) const {
    const std::string value = text_of(name);
    if (value.empty()) {
      return otherwise;
    }
    int result = 0;
    const char* const end = value.data() + value.size();
    const auto [stopped, mistake] = std::from_chars(value.data(), end, result);
    if (mistake != std::errc() || stopped != end || result < 0) {
      throw Error(std::string("the variable ") + name + " must be a whole number of at least 0, but is \"" + value +
                  "\"");
    }
    return result;
  }

  /// The number that the last digits of a variable make, at most `digits` of them.
  [[nodiscard]] int last_digits(const char* name, std::size_t digits) const {
    int result = 0;
    const std::string value = text_of(name);
    for (const char c : value.substr(value.size() - std::min(value.size(), digits))) {
      result = c >= '0' && c <= '9' ? result * 10 + (c - '0') : 0;
    }
    return result;
  }
};

/// The first host of a list as SLURM writes it: "n7" of "n[7-9,12],m1", and of "n7,n8".
inline std::string first_host(const std::string& list) {
  const auto end = list.find_first_of("[,");
  if (end == std::string::npos || list[end] == ',') {
    return list.substr(0, end);
  }
  const auto first = list.find_first_of("-,]", end);
  const auto close = list.find(']', end);
  const auto next = list.find(',', close == std::string::npos ? end : close);
  const std::string suffix = close == std::string::npos ? "" : list.substr(close + 1, next - close - 1);
  return list.substr(0, end) + list.substr(end + 1, first - end - 1) + suffix;
}

/// Of a launcher whose variables these are.
inline Launch launch_of(const Variables& variables, const char* launcher, const char* rank, const char* size,
                        const char* local_rank, const char* local_size) {
  return {.launcher = launcher,
          .rank = variables.number(rank, 0),
          .size = variables.number(size, 1),
          .local_rank = variables.number(local_rank, 0),
          .one_host = variables.text_of(local_size) == variables.text_of(size)};
}

/// Of a step of a job. A script of sbatch and a shell of salloc have SLURM_NTASKS too, and are one process.
inline Launch launch_of_slurm(const Variables& variables) {
  return {.launcher = "SLURM",
          .rank = variables.number("SLURM_PROCID", 0),
          .size = variables.number("SLURM_STEP_NUM_TASKS", 1),
          .local_rank = variables.number("SLURM_LOCALID", 0),
          .one_host = variables.number("SLURM_STEP_NUM_NODES", 1) == 1,
          .address = first_host(variables.text_of("SLURM_STEP_NODELIST")),
          // Steps of one job that run side by side do not meet at one port.
          .port = 15000 +
                  (variables.last_digits("SLURM_JOB_ID", 4) + 7 * variables.last_digits("SLURM_STEP_ID", 3)) % 10000};
}

/// Whether srun has started this process itself. mpiexec of MPICH, inside a job, starts its own daemons by srun, whose
/// variables its processes inherit beside those of MPICH; srun sets both alike.
inline bool is_of_slurm(const Variables& variables) {
  const auto agree = [&](const char* of_mpich, const char* of_slurm) {
    return !variables.has(of_mpich) || variables.number(of_mpich, 0) == variables.number(of_slurm, 0);
  };
  return variables.has("SLURM_STEP_NUM_TASKS") && variables.has("SLURM_PROCID") && agree("PMI_RANK", "SLURM_PROCID") &&
         agree("PMI_SIZE", "SLURM_STEP_NUM_TASKS");
}

}  // namespace detail

/// Reads what the launcher says: torchrun, mpirun of Open MPI, srun of SLURM, mpiexec of MPICH and Intel MPI, jsrun of
/// LSF, in this order; a process that nobody launched is alone. MASTER_ADDR and MASTER_PORT, if both are set, say where
/// the processes meet, whoever launched them. Throws Error for variables that are no numbers, or a rank that is not
/// below the size.
[[nodiscard]] inline Launch read_launch(const detail::Variables& variables = {}) {
  Launch launch;
  if (variables.has("RANK") && variables.has("WORLD_SIZE")) {
    launch = detail::launch_of(variables, "torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE");
    launch.agent_store = variables.text_of("TORCHELASTIC_USE_AGENT_STORE") == "True";
  } else if (variables.has("OMPI_COMM_WORLD_RANK")) {
    launch = detail::launch_of(variables, "Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                               "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE");
  } else if (detail::is_of_slurm(variables)) {
    launch = detail::launch_of_slurm(variables);
  } else if (variables.has("PMI_RANK") && variables.has("PMI_SIZE")) {
    launch = detail::launch_of(variables, "MPICH", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS");
  } else if (variables.has("JSM_NAMESPACE_RANK")) {
    launch = detail::launch_of(variables, "LSF", "JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_LOCAL_RANK",
                               "JSM_NAMESPACE_LOCAL_SIZE");
  }
  if (launch.rank >= launch.size) {
    throw Error("the environment of " + launch.launcher + " must give a rank below the number of processes, " +
                detail::text(launch.size) + ", but it is " + detail::text(launch.rank));
  }
  if (variables.has("MASTER_ADDR") && variables.has("MASTER_PORT")) {
    launch.address = variables.text_of("MASTER_ADDR");
    launch.port = variables.number("MASTER_PORT", 0);
  }
  return launch;
}

}  // namespace regimen::inline v0
