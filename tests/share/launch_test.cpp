#include "support/errors.hpp"
#include "support/numbers.hpp"

#include <map>
#include <string>

#include <regimen/share/launch.hpp>

namespace {

namespace rg = regimen;
using Environment = std::map<std::string, std::string>;

/// Reads a launch from these variables alone.
rg::Launch launch_in(const Environment& environment) {
  return rg::read_launch({.read = [&environment](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  }});
}

Environment with(Environment one, const Environment& more) {
  one.insert(more.begin(), more.end());
  return one;
}

// As the launchers set them: torchrun of PyTorch 2.11, srun of SLURM 22.05, mpirun of Open MPI 4.1, mpiexec of
// MPICH 4.0.
const Environment torchrun = {{"RANK", "3"},
                              {"WORLD_SIZE", "4"},
                              {"LOCAL_RANK", "1"},
                              {"LOCAL_WORLD_SIZE", "2"},
                              {"MASTER_ADDR", "node1"},
                              {"MASTER_PORT", "29500"},
                              {"TORCHELASTIC_USE_AGENT_STORE", "True"}};
const Environment slurm_job = {{"SLURM_JOB_ID", "1234567"}, {"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}};
const Environment srun = {{"SLURM_JOB_ID", "1234567"},
                          {"SLURM_NTASKS", "4"},
                          {"SLURM_PROCID", "2"},
                          {"SLURM_STEP_ID", "1"},
                          {"SLURM_LOCALID", "0"},
                          {"SLURM_STEP_NUM_TASKS", "4"},
                          {"SLURM_STEP_NODELIST", "n[7-8]"},
                          {"SLURM_STEP_NUM_NODES", "2"}};
const Environment open_mpi = {{"OMPI_COMM_WORLD_RANK", "1"},
                              {"OMPI_COMM_WORLD_SIZE", "2"},
                              {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                              {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
const Environment mpich = {{"PMI_RANK", "1"}, {"PMI_SIZE", "4"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}};
const Environment jsrun = {{"JSM_NAMESPACE_RANK", "5"},
                           {"JSM_NAMESPACE_SIZE", "6"},
                           {"JSM_NAMESPACE_LOCAL_RANK", "5"},
                           {"JSM_NAMESPACE_LOCAL_SIZE", "6"}};

void check_launch(const Environment& environment, const rg::Launch& right) {
  const rg::Launch launch = launch_in(environment);
  CHECK(launch.launcher == right.launcher);
  CHECK(launch.rank == right.rank);
  CHECK(launch.size == right.size);
  CHECK(launch.local_rank == right.local_rank);
  CHECK(launch.one_host == right.one_host);
  CHECK(launch.address == right.address);
  CHECK(launch.port == right.port);
  CHECK(launch.agent_store == right.agent_store);
}

}  // namespace

TEST_CASE("read_launch: what each launcher says", "[share]") {
  check_launch({}, {});
  check_launch(torchrun, {.launcher = "torchrun",
                          .rank = 3,
                          .size = 4,
                          .local_rank = 1,
                          .one_host = false,
                          .address = "node1",
                          .port = 29500,
                          .agent_store = true});
  // 15000 and the last four digits of the job, and the step for another port beside it.
  check_launch(srun, {.launcher = "SLURM",
                      .rank = 2,
                      .size = 4,
                      .local_rank = 0,
                      .one_host = false,
                      .address = "n7",
                      .port = 15000 + 4567 + 7});
  check_launch(open_mpi, {.launcher = "Open MPI", .rank = 1, .size = 2, .local_rank = 1});
  check_launch(mpich, {.launcher = "MPICH", .rank = 1, .size = 4, .local_rank = 1, .one_host = false});
  check_launch(jsrun, {.launcher = "LSF", .rank = 5, .size = 6, .local_rank = 5});
}

TEST_CASE("read_launch: a shell or script within a job of SLURM is one process", "[share]") {
  check_launch(slurm_job, {});
}

TEST_CASE("read_launch: torchrun comes before the scheduler that started it", "[share]") {
  CHECK(launch_in(with(srun, torchrun)).launcher == "torchrun");
  // Open MPI and MPICH start their daemons by srun inside a job; srun itself sets PMI's variables too.
  CHECK(launch_in(with(open_mpi, srun)).launcher == "Open MPI");
  CHECK(launch_in(with(mpich, srun)).launcher == "MPICH");
  Environment pmi = srun;
  pmi["PMI_RANK"] = srun.at("SLURM_PROCID");
  pmi["PMI_SIZE"] = srun.at("SLURM_STEP_NUM_TASKS");
  CHECK(launch_in(pmi).launcher == "SLURM");
}

TEST_CASE("read_launch: an address in the environment is taken whoever launched", "[share]") {
  const Environment address = {{"MASTER_ADDR", "10.0.0.1"}, {"MASTER_PORT", "5000"}};
  for (const Environment& launcher : {open_mpi, srun, mpich}) {
    const rg::Launch launch = launch_in(with(launcher, address));
    CHECK(launch.address == "10.0.0.1");
    CHECK(launch.port == 5000);
    CHECK_FALSE(launch.agent_store);
  }
}

TEST_CASE("read_launch: variables that make no sense are errors", "[share]") {
  check_error([] { launch_in({{"RANK", "one"}, {"WORLD_SIZE", "2"}}); }, {"RANK", "whole number", "\"one\""});
  check_error([] { launch_in({{"RANK", "-1"}, {"WORLD_SIZE", "2"}}); }, {"RANK", "\"-1\""});
  check_error([] { launch_in({{"RANK", "2"}, {"WORLD_SIZE", "2"}}); }, {"torchrun", "below", "2"});
  check_error([] { launch_in({{"OMPI_COMM_WORLD_RANK", "99999999999"}}); }, {"OMPI_COMM_WORLD_RANK"});
}

TEST_CASE("read_launch: the first host of SLURM's lists", "[share]") {
  const std::map<std::string, std::string> first = {{"n7", "n7"},
                                                    {"n7,n8", "n7"},
                                                    {"n[7-9,12],m1", "n7"},
                                                    {"n[007-9]", "n007"},
                                                    {"n[3]", "n3"},
                                                    {"n[1-2]-ib,m4", "n1-ib"},
                                                    {"", ""},
                                                    {"a-b[10,12]", "a-b10"},
                                                    {"m1,n[7-9]", "m1"}};
  for (const auto& [list, host] : first) {
    CAPTURE(list);
    CHECK(rg::detail::first_host(list) == host);
  }
}
