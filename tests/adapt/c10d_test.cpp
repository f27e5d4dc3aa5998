#include "support/training.hpp"

#include "support/processes.hpp"

#include <regimen/adapt/c10d.hpp>

#include <csignal>

namespace {

using namespace training;
using processes::in_processes;

/// The connections that this program has.
std::vector<std::string> backends() {
#if REGIMEN_WITH_GLOO
  return {"gloo", "store"};
#else
  return {"store"};
#endif
}

/// Launches work(group) in `count` processes that meet at a file, as under mpirun; what each of them says, by rank.
std::vector<std::string> launched(int count, const rg::Connection& how,
                                  const std::function<std::string(rg::C10dGroup&)>& work) {
  return in_processes(count, [&](const processes::Group& forked) {
    rg::C10dGroup group = rg::connect({.launcher = "a test", .rank = forked.rank(), .size = forked.size()}, how);
    return work(group);
  });
}

std::string trained(const rg::RunOptions& options, const std::function<void(rg::Phase&)>& change = {}) {
  auto net = network(7);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  rg::Phase phase{.name = "train", .data = points(70, 5), .optimizer = sgd, .epochs = 3, .batch = 32, .seed = 3};
  if (change) {
    change(phase);
  }
  const rg::History history = rg::run(net, phase, {.test = points(50, 6)}, options);
  return rg::detail::crc32_of(weights(net)) + " " + rg::detail::text(history.back().test.loss);
}

/// Makes this process, if it is the one, do something in the middle of the training.
void at_call_40(rg::Phase& phase, bool this_one, const std::function<void()>& act) {
  phase.augment = {[=, calls = std::make_shared<int>(0)](rg::Batch batch, const rg::Key&) {
    if (this_one && ++*calls == 40) {
      act();
    }
    return batch;
  }};
}

}  // namespace

TEST_CASE("c10d: what is gathered and exchanged, of every type", "[share]") {
  for (const std::string& backend : backends()) {
    for (const int count : {2, 4}) {
      CAPTURE(backend, count);
      const Folder folder;
      const auto said = launched(count, {.file = folder / "meeting", .backend = backend}, [&](rg::C10dGroup& group) {
        for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kLong, at::kBool, at::kHalf, at::kByte}) {
          const at::Tensor mine = torch::arange(3).add(group.rank()).remainder(2).to(type);
          at::Tensor all = torch::empty({count, 3}, mine.options());
          group.all_gather(all, mine);
          for (int rank = 0; rank < count; ++rank) {
            if (!torch::equal(all[rank], torch::arange(3).add(rank).remainder(2).to(type))) {
              return "row " + rg::detail::text(rank) + " of all_gather is wrong for " + toString(type);
            }
          }
        }
        // Row r of process p is 10 p + r: process r gets 10 p + r in row p.
        const at::Tensor in = torch::arange(count, torch::kDouble).add(10 * group.rank()).unsqueeze(1).repeat({1, 5});
        at::Tensor out = torch::empty_like(in);
        group.exchange(out, in);
        const at::Tensor wanted =
            torch::arange(count, torch::kDouble).mul(10).add(group.rank()).unsqueeze(1).repeat({1, 5});
        return std::string(torch::equal(out, wanted) ? "right" : "exchange is wrong");
      });
      CHECK(said == std::vector<std::string>(static_cast<std::size_t>(count), "right"));
    }
  }
}

TEST_CASE("c10d: a message of any size", "[share]") {
  for (const std::string& backend : backends()) {
    CAPTURE(backend);
    const Folder folder;
    const auto said = launched(2, {.file = folder / "meeting", .backend = backend}, [&](rg::C10dGroup& group) {
      // 12 MB: a store refuses more than 8 at once.
      const at::Tensor mine = torch::arange(3000000, torch::kFloat) + group.rank();
      const at::Tensor all = rg::DataParallel(group).all_gather(mine, "a message");
      return std::string(torch::equal(all[1], torch::arange(3000000, torch::kFloat) + 1) ? "right" : "wrong");
    });
    CHECK(said == std::vector<std::string>{"right", "right"});
  }
}

TEST_CASE("c10d: processes that are not at the same message end with an error, not in Gloo", "[share]") {
  for (const std::string& backend : backends()) {
    CAPTURE(backend);
    const Folder folder;
    const auto said = launched(2, {.file = folder / "meeting", .backend = backend}, [&](rg::C10dGroup& group) {
      (void)rg::DataParallel(group).all_gather(torch::ones({5 + 5000 * group.rank()}), "something");
      return std::string("no error");
    });
    for (const std::string& each : said) {
      CHECK(contains(each, "process 0 is at something (20 bytes), process 1 at something (20020 bytes)"));
    }
  }
}

TEST_CASE("c10d: a run has the bits of one process, and the meeting's file may be an old one", "[share]") {
  const Folder folder;
  const std::string alone = trained({.share = rg::Alone{}});
  for (const std::string& backend : backends()) {
    for (const int count : {2, 4, 8, 2}) {  // all at one file, which the launch before has left
      CAPTURE(backend, count);
      const auto said = launched(count, {.file = folder / "meeting", .backend = backend},
                                 [&](rg::C10dGroup& group) { return trained({.share = group}); });
      CHECK(said == std::vector<std::string>(static_cast<std::size_t>(count), alone));
    }
  }
}

TEST_CASE("c10d: an error of one process is the error of all, within seconds", "[share]") {
  for (const std::string& backend : backends()) {
    CAPTURE(backend);
    const Folder folder;
    const auto begin = std::chrono::steady_clock::now();
    const auto said = launched(4, {.file = folder / "meeting", .backend = backend}, [](rg::C10dGroup& group) {
      return trained({.share = group}, [&](rg::Phase& phase) {
        phase.epochs = 1000;
        at_call_40(phase, group.rank() == 2, [] { throw std::runtime_error("the disk is gone"); });
      });
    });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    for (const std::string& error : said) {
      CAPTURE(error);
      CHECK(contains(error, "the disk is gone"));
    }
    CHECK(contains(said[0], "process 2 of 4"));
    CHECK(took.count() < 60);  // 3 alone; no deadlock
  }
}

TEST_CASE("c10d: a process that is killed is missed at once", "[share]") {
  for (const std::string& backend : backends()) {
    CAPTURE(backend);
    const Folder folder;
    const auto said = launched(4, {.file = folder / "meeting", .backend = backend}, [](rg::C10dGroup& group) {
      return trained({.share = group}, [&](rg::Phase& phase) {
        phase.epochs = 1000;
        at_call_40(phase, group.rank() == 1, [] { ::raise(SIGKILL); });
      });
    });
    for (const int rank : {0, 2, 3}) {
      CAPTURE(rank, said[static_cast<std::size_t>(rank)]);
      CHECK(contains(said[static_cast<std::size_t>(rank)], "a process that shares the run is gone"));
    }
    CHECK(said[1].empty());
  }
}

TEST_CASE("c10d: a write to a process that is gone is an error, and no silent end by SIGPIPE", "[share]") {
  for (const std::string& backend : backends()) {
    const Folder folder;
    const auto said = launched(2, {.file = folder / "meeting", .backend = backend}, [](rg::C10dGroup&) {
      return std::string(std::signal(SIGPIPE, SIG_DFL) == SIG_IGN ? "ignored" : "deadly");
    });
    CHECK(said == std::vector<std::string>{"ignored", "ignored"});
  }
  // A handler of the program's own stays.
  const Folder folder;
  const auto said = in_processes(2, [&](const processes::Group& forked) {
    const auto own = [](int) {};
    std::signal(SIGPIPE, own);
    const rg::C10dGroup group = rg::connect({.launcher = "a test", .rank = forked.rank(), .size = forked.size()},
                                            {.file = folder / "meeting", .backend = "store"});
    return std::string(std::signal(SIGPIPE, SIG_DFL) == static_cast<void (*)(int)>(own) ? "own" : "another");
  });
  CHECK(said == std::vector<std::string>{"own", "own"});
}

TEST_CASE("c10d: a process that has ended is known by its id, on this machine alone", "[share]") {
  const std::string own = rg::detail::own_process_id();
  CHECK_FALSE(rg::detail::has_ended(own));
  const std::string scope = own.substr(0, own.rfind(' '));
  CHECK(rg::detail::has_ended(scope + " 2147483646"));
  CHECK_FALSE(rg::detail::has_ended("another-machine 2147483646"));
  CHECK_FALSE(rg::detail::has_ended(" 2147483646"));
  CHECK_FALSE(rg::detail::has_ended(""));
}

TEST_CASE("c10d: processes of different regimes hear so at the begin", "[share]") {
  const Folder folder;
  const auto said = launched(2, {.file = folder / "meeting"}, [](rg::C10dGroup& group) {
    return trained({.share = group}, [&](rg::Phase& phase) { phase.seed += static_cast<std::uint64_t>(group.rank()); });
  });
  for (const std::string& error : said) {
    CAPTURE(error);
    CHECK(contains(error, "process 1"));
    CHECK(contains(error, "\"seed\": 4"));
  }
}

TEST_CASE("c10d: who does not come is named", "[share]") {
  const Folder folder;
  const auto error = [&](int rank) {
    return error_of([&] {
      rg::connect({.launcher = "a test", .rank = rank, .size = 3}, {.file = folder / "meeting", .meet_seconds = 1});
    });
  };
  CHECK(contains(error(0), "process 0 of 3 waited 1 s in vain for process 1, 2"));
  CHECK(contains(error(1), "process 1 of 3 waited 1 s in vain for process 0"));
}

TEST_CASE("c10d: a launch without a place to meet, and settings that cannot be", "[share]") {
  const auto error = [](const rg::Connection& how) {
    return error_of([&] { rg::connect({.launcher = "Open MPI", .rank = 0, .size = 2}, how); });
  };
  CHECK(contains(error({}), "Open MPI does not say where the processes meet: set Connection.file"));
  CHECK(
      contains(error({.file = "/nowhere/meeting"}), "Connection.file must be in a folder that this process can write"));
  CHECK(contains(error({.backend = "mpi"}),
                 "Connection.backend must be \"gloo\", \"nccl\" or \"store\", but is \"mpi\""));
  CHECK(contains(error({.meet_seconds = 0}), "Connection.meet_seconds must be above 0, but is 0"));
  CHECK(contains(error({.seconds = -1}), "Connection.seconds must be above 0, but is -1"));

  rg::C10dGroup alone = rg::connect({});
  CHECK(alone.size() == 1);
  CHECK(alone.backend().empty());
  at::Tensor all = torch::zeros({1, 3});
  alone.all_gather(all, torch::ones({3}));
  CHECK(torch::equal(all, torch::ones({1, 3})));
}
