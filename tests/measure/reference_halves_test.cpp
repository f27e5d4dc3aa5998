// Which samples reference networks are trained on, and attacks on each of them by the others.

#include "support/tensors.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace reference_halves_test {

namespace {

using measured::rows;
using regimen::reference_halves;
using regimen::ReferenceSignals;

/// Four networks and three samples.
ReferenceSignals four() {
  return {.signal = rows({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 3),
          .member = bools({1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1}).view({4, 3})};
}

}  // namespace

TEST_CASE("reference_halves: pairs of a half and the other half") {
  for (const int samples : {2, 10, 1000}) {
    CAPTURE(samples);
    const at::Tensor member = reference_halves(6, samples, 1);
    CHECK(member.scalar_type() == at::kBool);
    CHECK(member.sizes() == at::IntArrayRef({6, samples}));
    CHECK(member.sum(0).eq(3).all().item<bool>());
    CHECK(member.sum(1).eq(samples / 2).all().item<bool>());
    for (int pair = 0; pair < 3; ++pair) {
      CHECK(same(member[2 * pair], member[2 * pair + 1].logical_not()));
    }
  }
}

TEST_CASE("reference_halves: odd numbers of samples are rounded down, then up") {
  const at::Tensor member = reference_halves(4, 7, 1);
  CHECK(same(member.sum(1), longs({3, 4, 3, 4})));
  CHECK(member.sum(0).eq(2).all().item<bool>());
  CHECK(same(reference_halves(2, 3, 5).sum(1), longs({1, 2})));
}

TEST_CASE("reference_halves: more networks begin with the same ones") {
  const at::Tensor many = reference_halves(10, 50, 3);
  CHECK(same(many.slice(0, 0, 4), reference_halves(4, 50, 3)));
  CHECK(same(many, reference_halves(10, 50, 3)));
}

TEST_CASE("reference_halves: other seeds and other pairs are other halves") {
  const at::Tensor member = reference_halves(8, 200, 1);
  const at::Tensor other = reference_halves(8, 200, 2);
  for (int i = 0; i < 8; i += 2) {
    CAPTURE(i);
    for (int j = 0; j < 8; j += 2) {
      check_share(member[i].eq(other[j]).sum().item<double>(), 200, 0.5);
      if (i < j) {
        check_share(member[i].eq(member[j]).sum().item<double>(), 200, 0.5);
      }
    }
  }
}

TEST_CASE("reference_halves: each sample and each pair of samples is as likely") {
  // Of 4,000 random halves of 4 samples each of the 6 comes with 1 / 6.
  const at::Tensor member = reference_halves(8000, 4, 9).view({4000, 2, 4}).select(1, 0);
  const at::Tensor code = member.to(at::kLong).matmul(longs({1, 2, 4, 8}));
  const at::Tensor counts = code.bincount({}, 16);
  check_equally_likely(counts.index_select(0, longs({3, 5, 6, 9, 10, 12})));
}

TEST_CASE("reference_halves: one seed gives other words than an epoch's order") {
  const at::Tensor order = regimen::detail::shuffled(500, 4, {});
  const at::Tensor first = at::zeros({500}, at::kBool).index_fill(0, order.slice(0, 0, 250), true);
  check_share(first.eq(reference_halves(2, 500, 4)[0]).sum().item<double>(), 500, 0.5);
}

TEST_CASE("reference_halves: odd or no networks and less than two samples are errors") {
  CHECK(error_of([] { (void)reference_halves(3, 10, 1); }) ==
        "reference_halves: networks must be even and at least 2, but is 3");
  CHECK(error_of([] { (void)reference_halves(0, 10, 1); }) ==
        "reference_halves: networks must be even and at least 2, but is 0");
  CHECK(error_of([] { (void)reference_halves(-2, 10, 1); }) ==
        "reference_halves: networks must be even and at least 2, but is -2");
  CHECK(error_of([] { (void)reference_halves(2, 1, 1); }) == "reference_halves: samples must be at least 2, but is 1");
}

TEST_CASE("ReferenceSignals.without: all rows but these, and the whole as it was") {
  const ReferenceSignals all = four();
  const auto check_rows = [&](const ReferenceSignals& others, const at::Tensor& kept) {
    CHECK(same(others.signal, all.signal.index_select(0, kept)));
    CHECK(same(others.member, all.member.index_select(0, kept)));
  };
  check_rows(all.without(0), longs({1, 2, 3}));
  check_rows(all.without(2), longs({0, 1, 3}));
  check_rows(all.without({1, 0}), longs({2, 3}));
  check_rows(all.without({3, 1, 3}), longs({0, 2}));
  check_rows(all.without({}), longs({0, 1, 2, 3}));
  CHECK(same(all.signal, four().signal));
}

TEST_CASE("ReferenceSignals.without: networks that are not there, and the last one, are errors") {
  CHECK(error_of([] { (void)four().without(4); }) == "ReferenceSignals.without: network must be in [0, 4), but is 4");
  CHECK(error_of([] { (void)four().without({0, -1}); }) ==
        "ReferenceSignals.without: network must be in [0, 4), but is -1");
  CHECK(error_of([] { (void)four().without({0, 1, 2, 3}); }) == "ReferenceSignals.without: no network is left of 4");
  check_error([] { (void)ReferenceSignals{}.without(0); }, {"ReferenceSignals.without", "undefined"});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const ReferenceSignals diverged{.signal = four().signal * nan, .member = four().member};
  check_error([&] { (void)diverged.without(0); }, {"ReferenceSignals.without", "finite", "diverged"});
}

TEST_CASE("likelihood ratio: of one network by the others it is that of these rows") {
  const at::Tensor member = reference_halves(8, 40, 2);
  const at::Tensor signal =
      regimen::Key(5, at::arange(8, at::kLong)).normal({40}).to(at::kDouble) + member.to(at::kDouble);
  const ReferenceSignals all{.signal = signal, .member = member};
  const ReferenceSignals by_hand{.signal = at::cat({signal.slice(0, 0, 2), signal.slice(0, 3)}),
                                 .member = at::cat({member.slice(0, 0, 2), member.slice(0, 3)})};
  for (const bool online : {true, false}) {
    CAPTURE(online);
    const regimen::LikelihoodRatioAttack attack{.online = online};
    const at::Tensor score = attack(signal[2], all.without(2));
    CHECK(same(score, attack(signal[2], by_hand)));
    CHECK(furthest(score, attack(signal[2], all)) > 0.01);  // which knows the network that it attacks
  }
}

/// The mean area of LiRA on each of the networks, each by the others but its pair.
static double mean_area(const ReferenceSignals& all) {
  const std::int64_t networks = all.signal.size(0);
  double area = 0;
  for (std::int64_t i = 0; i < networks; ++i) {
    const at::Tensor score = regimen::LikelihoodRatioAttack{}(all.signal[i], all.without({i, i ^ 1}));
    area += regimen::membership_roc(score, all.member[i]).area() / static_cast<double>(networks);
  }
  return area;
}

TEST_CASE("likelihood ratio: each of 32 networks by the others finds what one shift of signals gives away") {
  // Signals of N(m, 1), N(m + 1, 1) for members, m of N(0, 3): with many networks the area is Phi(1 / sqrt 2) = 0.760.
  const at::Tensor id = at::arange(500, at::kLong);
  const at::Tensor member = reference_halves(32, 500, 1);
  const at::Tensor mean = regimen::Key(1, id).normal().to(at::kDouble) * 3;
  const at::Tensor signal = mean + regimen::Key(2, id).normal({32}).to(at::kDouble).t() + member.to(at::kDouble);
  const double area = mean_area({.signal = signal, .member = member});
  CHECK(area > 0.72);
  CHECK(area < 0.77);
}

TEST_CASE("likelihood ratio: by the others but its pair it finds nothing in signals that tell nothing") {
  // 8 networks of 8,000 samples: the standard error of the area is about 0.002. With the pair among the references it
  // is 0.482, for the mean of a sample's own side is then that of fewer networks.
  const at::Tensor id = at::arange(8000, at::kLong);
  const at::Tensor member = reference_halves(8, 8000, 3);
  const at::Tensor signal = regimen::Key(4, id).normal({8}).to(at::kDouble).t();
  CHECK(std::abs(mean_area({.signal = signal, .member = member}) - 0.5) < 0.008);
}

}  // namespace reference_halves_test
