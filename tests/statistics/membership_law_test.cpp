// The advantage of the best test between two mixtures of normal numbers, and the law of membership in the training set
// of a linear regression. Numbers of quad are scipy.integrate.quad's.

#include <regimen/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace membership_law_test {

namespace {

using regimen::advantage_between;
using regimen::AttackedPoint;
using regimen::MembershipModel;
using regimen::PredictionVariances;

using List = std::vector<double>;

/// P(Z <= z).
double phi(double z) {
  return std::erfc(-z / std::sqrt(2.0)) / 2;
}

/// The advantage between N(0, v) and N(0, w): where the densities cross, x^2 (1 / v - 1 / w) = log(w / v).
double between_two(double v, double w) {
  const double x = std::sqrt(std::log(w / v) / (1 / v - 1 / w));
  return 2 * std::abs(phi(x / std::sqrt(v)) - phi(x / std::sqrt(w)));
}

struct Mean {
  double value = 0;
  double error = 0;  // standard error
};

Mean mean_of(const List& numbers) {
  const auto n = static_cast<double>(numbers.size());
  double sum = 0;
  double squares = 0;
  for (const double x : numbers) {
    sum += x;
  }
  for (const double x : numbers) {
    squares += (x - sum / n) * (x - sum / n);
  }
  return {sum / n, std::sqrt(squares / n / n)};
}

template <class Function>
List each(List numbers, const Function& function) {
  std::transform(numbers.begin(), numbers.end(), numbers.begin(), function);
  return numbers;
}

/// Within 5 standard errors of both, and no wider than `most`.
void check_near(const Mean& found, const Mean& expected, double most) {
  const double error = std::hypot(found.error, expected.error);
  CAPTURE(found.value, expected.value, error);
  CHECK(std::abs(found.value - expected.value) <= 5 * error + 1e-5);  // the expected ones have five digits
  CHECK(error <= most);
}

/// Mean asymptotic advantage over points of the model's distribution.
double asymptotic(const MembershipModel& model) {
  double sum = 0;
  for (const AttackedPoint& x : model.points(200, 1)) {
    sum += model.asymptotic_advantage(x) / 200;
  }
  return sum;
}

}  // namespace

TEST_CASE("advantage_between: two normal numbers, in closed form") {
  CHECK(between_two(1, 4) == Approx(0.322674568835).epsilon(1e-11));  // of quad
  for (const double w : {1.0001, 1.1, 2.0, 4.0, 100.0, 1e6}) {
    CAPTURE(w);
    CHECK(advantage_between(List{1}, List{w}) == Approx(between_two(1, w)).epsilon(1e-9));
    CHECK(advantage_between(List{w}, List{1}) == Approx(between_two(1, w)).epsilon(1e-9));
  }
  CHECK(advantage_between(List{1}, List{1.1}) == Approx(0.023057909785).epsilon(1e-9));
}

TEST_CASE("advantage_between: mixtures, by numeric integration") {
  // quad of |p - q| / 2 for p the mean of scipy.stats.norm.pdf(x, scale=sqrt(v)) over the variances v and q that over
  // the others, in 400 geometric parts. The densities cross one to three times on each side.
  struct Case {
    List variances, others;
    double expected;
  };
  for (const Case& c : {Case{{1, 9}, {4}, 0.135475095094}, Case{{1, 100}, {4, 25}, 0.273425748712},
                        Case{{0.01, 4, 4}, {1}, 0.388778115465}, Case{{1, 2, 3, 40}, {2.5}, 0.132920552724},
                        Case{{0.1, 1, 100}, {0.3, 10}, 0.215861498507}, Case{{1}, {1, 1, 1e4}, 0.324460854605}}) {
    CAPTURE(c.variances, c.others);
    CHECK(advantage_between(c.variances, c.others) == Approx(c.expected).epsilon(1e-8));
    CHECK(advantage_between(c.others, c.variances) == Approx(c.expected).epsilon(1e-8));
  }
}

TEST_CASE("advantage_between: 0 for one distribution, however it is listed") {
  CHECK(advantage_between(List{3}, List{3}) == 0);
  CHECK(advantage_between(List{1, 7, 30}, List{30, 1, 7}) < 1e-13);
  CHECK(advantage_between(List{1, 7}, List{7, 7, 1, 1}) < 1e-13);
}

TEST_CASE("advantage_between: it depends on ratios alone, down to the smallest variances") {
  const double expected = advantage_between(List{1, 100}, List{4, 25});
  for (const double scale : {1e-300, 1e-20, 3.0, 1e20, 1e300}) {
    CAPTURE(scale);
    CHECK(advantage_between(List{scale, 100 * scale}, List{4 * scale, 25 * scale}) == Approx(expected).epsilon(1e-9));
  }
  CHECK(advantage_between(List{1e-310}, List{4e-310}) == Approx(between_two(1, 4)).epsilon(1e-9));
  CHECK(advantage_between(List{1e-323}, List{1}) == Approx(1).epsilon(1e-12));
  CHECK(advantage_between(List{1e-300}, List{1e300}) == Approx(1).epsilon(1e-12));
  CHECK(advantage_between(List{1e-300, 1e300}, List{1e-300}) == Approx(0.5).epsilon(1e-12));
}

TEST_CASE("advantage_between: a distance: triangle inequality, convex, at most 1") {
  const List a = {1, 3}, b = {0.2, 2, 50}, c = {5};
  const double ab = advantage_between(a, b);
  const double bc = advantage_between(b, c);
  const double ac = advantage_between(a, c);
  CHECK(ab <= ac + bc);
  CHECK(bc <= ab + ac);
  CHECK(ac <= ab + bc);
  CHECK(ac <= (between_two(1, 5) + between_two(3, 5)) / 2 + 1e-12);
  CHECK(advantage_between(List{1e-9}, List{1e9}) <= 1);
}

TEST_CASE("advantage_between: empty lists and variances out of range are errors") {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto error = [](const List& variances, const List& others) {
    return error_of([&] { (void)advantage_between(variances, others); });
  };
  CHECK(error({}, {1}) == "advantage_between: variances.size() must be at least 1, but is 0");
  CHECK(error({1}, {}) == "advantage_between: others.size() must be at least 1, but is 0");
  CHECK(error({1, 0}, {1}) == "advantage_between: variances[1] must be above 0 and finite, but is 0");
  CHECK(error({1}, {-2}) == "advantage_between: others[0] must be above 0 and finite, but is -2");
  CHECK(error({1}, {1, 2, infinity}) == "advantage_between: others[2] must be above 0 and finite, but is inf");
  CHECK(error({NAN}, {1}) == "advantage_between: variances[0] must be above 0 and finite, but is nan");
}

TEST_CASE("MembershipModel: the law of the variances is that of drawn features") {
  // n = 10, D = 40, noise 0.5, in numpy, 200,000 draws. For a point x with squared norms seen = 1.2 p of its first p
  // features and seen + 0.9 (D - p) of all:
  //     X = rng.standard_normal((10, 40)); X[0] = x for a member; S = X[:, :p]
  //     h = pinv(S).T @ x[:p]                              # the prediction is h @ y
  //     v = norm(X.T @ h)**2 / 40 + 0.25 * norm(h)**2      # its variance over beta and noise
  // and the mean and the variance of log v. Predictions from drawn beta and noise had the shares within 1 of these v.
  // The advantage is half the integral of |p - q| on a grid of log x from 1e-4 to 1e7, over mixtures of 20,000 v, five
  // times.
  struct Law {
    int p;
    Mean member, member_spread, other, other_spread, advantage;
  };
  for (const Law& law : {
           Law{5, {-0.27920, 0.00052}, {0.054543, 0.00016}, {0.40172, 0.0013}, {0.345253, 0.0013}, {0.1565, 0.0004}},
           Law{8, {0.06000, 0.00030}, {0.017992, 0.00008}, {1.63294, 0.0021}, {0.880654, 0.0039}, {0.3373, 0.0005}},
           Law{9, {0.13740, 0.00021}, {0.008507, 0.00005}, {2.31666, 0.0028}, {1.581980, 0.0077}, {0.4388, 0.0010}},
           Law{10, {0.20294, 0}, {}, {3.75697, 0.0049}, {4.851828, 0.0265}, {0.5981, 0.0007}},
           Law{11, {0.20904, 0}, {}, {2.36431, 0.0028}, {1.598247, 0.0075}, {0.4344, 0.0004}},
           Law{12, {0.21511, 0}, {}, {1.74801, 0.0021}, {0.916597, 0.0039}, {0.3302, 0.0004}},
           Law{20, {0.26236, 0}, {}, {0.13571, 0.0011}, {0.254330, 0.0009}, {0.0408, 0.0001}},
           Law{40, {0.37156, 0}, {}, {-0.98783, 0.0009}, {0.174712, 0.0006}, {0.3092, 0.0005}},
       }) {
    CAPTURE(law.p);
    const MembershipModel model{.n = 10, .p = law.p, .D = 40, .noise = 0.5};
    const double seen = 1.2 * law.p;
    const AttackedPoint x{.seen = seen, .all = seen + 0.9 * (40 - law.p)};
    const PredictionVariances of = model.variances(x, 40000, 7);
    CHECK(of.other.size() == 40000);
    CHECK(of.member.size() == (law.p < 10 ? 40000 : 1));
    const auto check_law = [](const List& variances, const Mean& centre, const Mean& spread, double most) {
      const List log = each(variances, [](double v) { return std::log(v); });
      const double middle = mean_of(log).value;
      check_near(mean_of(log), centre, most);
      check_near(mean_of(each(log, [&](double v) { return (v - middle) * (v - middle); })), spread, 6 * most);
    };
    check_law(of.member, law.member, law.member_spread, 0.002);
    check_law(of.other, law.other, law.other_spread, 0.02);
    CHECK(model.advantage(x, 4000, 3) == Approx(law.advantage.value).margin(0.02));
  }
}

TEST_CASE("MembershipModel: the mean variance at others is that of inverse chi squared variables") {
  // E |h|^2 = seen / (n - p - 1) for p < n, and seen n / p / (p - n - 1) for p > n: the trace of an inverse Wishart
  // matrix in n dimensions, n / (p - n - 1), times seen / p as all directions of the point are alike.
  for (const auto& [n, p] : {std::pair{60, 20}, std::pair{60, 40}, std::pair{60, 90}, std::pair{60, 200}}) {
    CAPTURE(n, p);
    const MembershipModel model{.n = n, .p = p, .D = 300, .noise = 0.7};
    const double seen = 0.8 * p;
    const double unseen = 0.49 + (300.0 - p) / 300;
    const double expected =
        p < n ? seen / 300 + unseen * seen / (n - p - 1) : seen * n / p / 300 + unseen * seen * n / p / (p - n - 1);
    const Mean found = mean_of(model.variances({.seen = seen, .all = 250}, 20000, 5).other);
    check_near(found, {expected, 0}, 0.005 * expected);
  }
}

TEST_CASE("MembershipModel: the mean over members and points is p / D + p / n of the unseen") {
  // The predictions at all training points are H y, H of trace p for p < n, so that the part of each label that is not
  // linear in the p features, of variance 1 - p / D + noise^2, comes back with p / n of its variance.
  for (const int p : {5, 20, 39}) {
    CAPTURE(p);
    const MembershipModel model{.n = 40, .p = p, .D = 60, .noise = 0.5};
    List variances;
    for (const AttackedPoint& x : model.points(20000, 1)) {
      variances.push_back(model.variances(x, 1, variances.size() + 2).member.front());
    }
    check_near(mean_of(variances), {p / 60.0 + p / 40.0 * (1.25 - p / 60.0), 0}, 0.01);
  }
}

TEST_CASE("MembershipModel: members' variance is that of the label, where labels are fitted exactly") {
  for (const int p : {7, 8, 30}) {
    CAPTURE(p);
    const MembershipModel model{.n = 7, .p = p, .D = 30, .noise = 2};
    CHECK(model.variances({.seen = 3, .all = 15}, 9, 1).member == List{4.5});
  }
}

TEST_CASE("MembershipModel: points have chi squared norms") {
  const MembershipModel model{.n = 3, .p = 10, .D = 50};
  List seen, rest;
  for (const AttackedPoint& x : model.points(20000, 3)) {
    seen.push_back(x.seen);
    rest.push_back(x.all - x.seen);
  }
  check_near(mean_of(seen), {10, 0}, 0.04);
  check_near(mean_of(rest), {40, 0}, 0.07);
  check_near(mean_of(each(seen, [](double s) { return (s - 10) * (s - 10); })), {20, 0}, 0.4);
  const MembershipModel sees_all{.n = 3, .p = 10, .D = 10};
  for (const AttackedPoint& x : sees_all.points(100, 3)) {
    CHECK(x.seen == x.all);
  }
}

TEST_CASE("MembershipModel: labels that are a function of the p features do not tell members for p <= n") {
  for (const int p : {1, 4, 5, 6}) {
    CAPTURE(p);
    const MembershipModel model{.n = 6, .p = p, .D = p, .noise = 0};
    const AttackedPoint x{.seen = 0.7, .all = 0.7};
    for (const double variance : model.variances(x, 50, 1).other) {
      CHECK(variance == Approx(0.7 / p).epsilon(1e-14));
    }
    CHECK(model.advantage(x, 50) < 1e-12);
    CHECK(model.asymptotic_advantage(x) == Approx(0).margin(1e-12));
  }
  // Beyond, an other's prediction keeps n / p of the variance.
  const MembershipModel beyond{.n = 6, .p = 7, .D = 7, .noise = 0};
  CHECK(beyond.asymptotic_advantage({.seen = 3, .all = 3}) == Approx(between_two(7, 6)).epsilon(1e-9));
  const Mean kept = mean_of(beyond.variances({.seen = 7, .all = 7}, 20000, 1).other);
  check_near(kept, {6.0 / 7, 0}, 0.002);
}

TEST_CASE("MembershipModel: the paper's limit, by the ratio of features to points") {
  // n = 1000, D = 10^7, noise 1, means over points: two normal numbers of variances 2 and |x|^2 n / p * 2 / (p - n).
  struct Case {
    double ratio, expected;
  };
  for (const Case& c : {Case{1.05, 0.619}, Case{1.1, 0.505}, Case{1.2, 0.371}, Case{1.5, 0.166}, Case{2, 0.006},
                        Case{3, 0.166}, Case{5, 0.323}, Case{10, 0.484}, Case{100, 0.797}}) {
    CAPTURE(c.ratio);
    CHECK(asymptotic({.n = 1000, .p = std::llround(1000 * c.ratio), .D = 10000000}) ==
          Approx(c.expected).margin(0.003));
  }
}

TEST_CASE("MembershipModel: the exact law tends to the limit on both sides of p = n") {
  for (const int p : {200, 1000, 1400, 3000, 8000}) {
    CAPTURE(p);
    const MembershipModel model{.n = 2000, .p = p, .D = 10000, .noise = 0.5};
    for (const AttackedPoint& x : model.points(2, 1)) {
      CHECK(model.advantage(x, 300) == Approx(model.asymptotic_advantage(x)).margin(0.004));
    }
  }
  // By hand for p < n: q = seen / (n - p - 1) = 1, so that a member's own label has the share 1 / 2.
  const MembershipModel few{.n = 20, .p = 9, .D = 10, .noise = 1};
  const double other = 1 + (1 + 0.1) * 1;
  const double member = 1 + (1 + 0.1) / 4 + (1 + 0.5) / 4;
  CHECK(few.asymptotic_advantage({.seen = 10, .all = 15}) == Approx(between_two(member, other)).epsilon(1e-9));
}

TEST_CASE("MembershipModel: 1 in the limit where an other's mean variance is infinite, less by the exact law") {
  for (const int p : {99, 100, 101}) {
    CAPTURE(p);
    const MembershipModel model{.n = 100, .p = p, .D = 1000};
    const AttackedPoint x{.seen = 100, .all = 1000};
    CHECK(model.asymptotic_advantage(x) == 1);
    const double exact = model.advantage(x, 300);
    CHECK(exact > 0.7);
    CHECK(exact < 0.95);
  }
}

TEST_CASE("MembershipModel: one point, one feature, and all of them") {
  CHECK(MembershipModel{.n = 1, .p = 1, .D = 1}.variances({.seen = 1, .all = 1}, 3, 1).other.size() == 3);
  // One training point z of two features: the prediction is y z . x / |z|^2.
  const MembershipModel one{.n = 1, .p = 4, .D = 4, .noise = 0};
  const Mean found = mean_of(one.variances({.seen = 1, .all = 1}, 20000, 1).other);
  check_near(found, {1.0 / 16, 0}, 0.001);  // cos^2 / D: 1 / 4 of 1 / 4
}

TEST_CASE("MembershipModel: equal seeds give equal numbers, others do not") {
  for (const int p : {30, 300}) {
    CAPTURE(p);
    const MembershipModel model{.n = 100, .p = p, .D = 1000};
    const AttackedPoint x = model.points(3, 4)[2];
    CHECK(x.seen == model.points(5, 4)[2].seen);
    CHECK(x.seen != model.points(3, 5)[2].seen);
    CHECK(model.variances(x, 20, 1).other == model.variances(x, 20, 1).other);
    CHECK(model.variances(x, 20, 1).member == model.variances(x, 20, 1).member);
    CHECK(model.variances(x, 20, 1).other != model.variances(x, 20, 2).other);
    CHECK(model.advantage(x, 100, 1) == model.advantage(x, 100, 1));
    CHECK(model.advantage(x, 100, 1) != model.advantage(x, 100, 2));
  }
}

TEST_CASE("MembershipModel: the header's example") {
  const MembershipModel model{.n = 100, .p = 300, .D = 10000};
  double exact = 0;
  for (const AttackedPoint& x : model.points(20, 1)) {
    exact += model.advantage(x, 200, 2) / 20;
  }
  CHECK(exact == Approx(0.16).margin(0.02));
}

TEST_CASE("MembershipModel: fields and points out of range are errors") {
  const AttackedPoint x{.seen = 1, .all = 2};
  const auto error = [&](const MembershipModel& model) { return error_of([&] { model.check(); }); };
  CHECK(error({.n = 0}) == "MembershipModel.n must be at least 1, but is 0");
  CHECK(error({.p = 0}) == "MembershipModel.p must be in [1, D = 10000], but is 0");
  CHECK(error({.p = 21, .D = 20}) == "MembershipModel.p must be in [1, D = 20], but is 21");
  CHECK(error({.noise = -1}) == "MembershipModel.noise must be at least 0 and finite, but is -1");
  CHECK(error({.noise = NAN}) == "MembershipModel.noise must be at least 0 and finite, but is nan");
  CHECK(error({}).empty());
  const MembershipModel bad{.n = 0};
  const std::string expected = "MembershipModel.n must be at least 1, but is 0";
  CHECK(error_of([&] { (void)bad.points(1, 1); }) == expected);
  CHECK(error_of([&] { (void)bad.variances(x, 1, 1); }) == expected);
  CHECK(error_of([&] { (void)bad.advantage(x); }) == expected);
  CHECK(error_of([&] { (void)bad.asymptotic_advantage(x); }) == expected);
  const MembershipModel good;
  CHECK(error_of([&] { (void)good.points(0, 1); }) == "MembershipModel.points: count must be at least 1, but is 0");
  CHECK(error_of([&] { (void)good.variances(x, 0, 1); }) ==
        "MembershipModel.variances: draws must be at least 1, but is 0");
  CHECK(error_of([&] { (void)good.advantage({.seen = 0, .all = 2}); }) ==
        "AttackedPoint.seen must be above 0 and finite, but is 0");
  CHECK(error_of([&] { (void)good.asymptotic_advantage({.seen = 3, .all = 2}); }) ==
        "AttackedPoint.all must be at least seen = 3 and finite, but is 2");
  CHECK(error_of([&] { (void)good.variances({.seen = NAN, .all = 2}, 1, 1); }) ==
        "AttackedPoint.seen must be above 0 and finite, but is nan");
}

}  // namespace membership_law_test
