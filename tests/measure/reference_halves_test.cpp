// Which samples reference networks are trained on, and attacks on each of them by the others.

#include "support/tensors.hpp"

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

TEST_CASE("ReferenceSignals.without: all rows but one, and the whole as it was") {
  const ReferenceSignals all = four();
  for (int network = 0; network < 4; ++network) {
    CAPTURE(network);
    const ReferenceSignals others = all.without(network);
    std::vector<std::int64_t> kept;
    for (int i = 0; i < 4; ++i) {
      if (i != network) {
        kept.push_back(i);
      }
    }
    CHECK(same(others.signal, all.signal.index_select(0, longs(kept))));
    CHECK(same(others.member, all.member.index_select(0, longs(kept))));
  }
  CHECK(same(all.signal, four().signal));
  CHECK(all.without(3).without(0).signal.size(0) == 2);
}

TEST_CASE("ReferenceSignals.without: networks that are not there, and the last one, are errors") {
  CHECK(error_of([] { (void)four().without(4); }) == "ReferenceSignals.without: network must be in [0, 4), but is 4");
  CHECK(error_of([] { (void)four().without(-1); }) == "ReferenceSignals.without: network must be in [0, 4), but is -1");
  const ReferenceSignals one{.signal = four().signal.slice(0, 0, 1), .member = four().member.slice(0, 0, 1)};
  CHECK(error_of([&] { (void)one.without(0); }) == "ReferenceSignals.signal.size(0) must be at least 2, but is 1");
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

TEST_CASE("likelihood ratio: each of 32 networks by the others finds what one shift of signals gives away") {
  // Signals of N(m, 1), N(m + 1, 1) for members, m of N(0, 3): with many networks the area is Phi(1 / sqrt 2) = 0.760.
  const at::Tensor id = at::arange(500, at::kLong);
  const at::Tensor member = reference_halves(32, 500, 1);
  const at::Tensor mean = regimen::Key(1, id).normal().to(at::kDouble) * 3;
  const at::Tensor signal = mean + regimen::Key(2, id).normal({32}).to(at::kDouble).t() + member.to(at::kDouble);
  const ReferenceSignals all{.signal = signal, .member = member};
  double area = 0;
  for (int i = 0; i < 32; ++i) {
    area += regimen::membership_roc(regimen::LikelihoodRatioAttack{}(signal[i], all.without(i)), member[i]).area() / 32;
  }
  CHECK(area > 0.72);
  CHECK(area < 0.77);
}

}  // namespace reference_halves_test
