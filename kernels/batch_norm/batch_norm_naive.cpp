#include <algorithm>
#include <cmath>

#include "kernels/batch_norm/batch_norm.h"

namespace twinage::naive {

void batch_norm_statistics(const Context&, float* mean, float* variance, ConstView x) {
  const Index pixels = x.shape.pixels();
  for (Index c = 0; c < x.shape.c; ++c) {
    double sum = 0, squares = 0;
    for (Index p = 0; p < pixels; ++p) sum += x.pixel(p)[c];
    const double m = pixels > 0 ? sum / static_cast<double>(pixels) : 0;
    for (Index p = 0; p < pixels; ++p) squares += (x.pixel(p)[c] - m) * (x.pixel(p)[c] - m);
    mean[c] = static_cast<float>(m);
    variance[c] = static_cast<float>(pixels > 0 ? squares / static_cast<double>(pixels) : 0);
  }
}

void batch_norm_update_running(const Context&, float* running_mean, float* running_variance,
                               const float* mean, const float* variance, Index channels,
                               Index count, const BatchNorm& norm) {
  const double share = norm.momentum;
  const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
  for (Index c = 0; c < channels; ++c) {
    running_mean[c] = static_cast<float>((1 - share) * running_mean[c] + share * mean[c]);
    running_variance[c] =
        static_cast<float>((1 - share) * running_variance[c] + share * variance[c] * unbiased);
  }
}

void batch_norm_apply(const Context&, View y, ConstView x, const float* mean, const float* variance,
                      const float* gamma, const float* beta, const BatchNorm& norm) {
  for (Index p = 0; p < x.shape.pixels(); ++p)
    for (Index c = 0; c < x.shape.c; ++c) {
      const double deviation = std::sqrt(static_cast<double>(variance[c]) + norm.epsilon);
      const double xhat = (static_cast<double>(x.pixel(p)[c]) - mean[c]) / deviation;
      const double value = gamma[c] * xhat + beta[c];
      y.pixel(p)[c] = static_cast<float>(norm.relu && value < 0 ? 0 : value);
    }
}

void batch_norm_backward(const Context&, View dx, float* dgamma, float* dbeta, ConstView dy,
                         ConstView x, const float* mean, const float* variance, const float* gamma,
                         const float* beta, const BatchNorm& norm) {
  const Index pixels = x.shape.pixels();
  for (Index c = 0; c < x.shape.c; ++c) {
    const double deviation = std::sqrt(static_cast<double>(variance[c]) + norm.epsilon);
    const auto xhat = [&](Index p) {
      return (static_cast<double>(x.pixel(p)[c]) - mean[c]) / deviation;
    };
    const auto g = [&](Index p) {
      const bool passes = !norm.relu || gamma[c] * xhat(p) + beta[c] > 0;
      return passes ? static_cast<double>(dy.pixel(p)[c]) : 0.0;
    };
    double sum_g = 0, sum_g_xhat = 0;
    for (Index p = 0; p < pixels; ++p) {
      sum_g += g(p);
      sum_g_xhat += g(p) * xhat(p);
    }
    dbeta[c] = static_cast<float>(dbeta[c] + sum_g);
    dgamma[c] = static_cast<float>(dgamma[c] + sum_g_xhat);
    const auto count = static_cast<double>(pixels);
    for (Index p = 0; p < pixels; ++p)  // dy[p] is read for the last time where dx[p] is written
      dx.pixel(p)[c] = static_cast<float>(gamma[c] / deviation *
                                          (g(p) - sum_g / count - xhat(p) * sum_g_xhat / count));
  }
}

void batch_norm_merge(const Context&, float* mean, float* variance, const float* parts,
                      Index shards, Shape x) {
  const auto pixels = [&](Index s) {
    return static_cast<double>(((s + 1) * x.n / shards - s * x.n / shards) * x.h * x.w);
  };
  const auto total = static_cast<double>(x.pixels());
  for (Index c = 0; c < x.c; ++c) {
    double m = 0, squares = 0;
    for (Index s = 0; s < shards; ++s) m += pixels(s) * parts[2 * s * x.c + c] / total;
    for (Index s = 0; s < shards; ++s) {
      const double between = parts[2 * s * x.c + c] - m;
      squares += pixels(s) * (parts[(2 * s + 1) * x.c + c] + between * between);
    }
    mean[c] = static_cast<float>(m);
    variance[c] = static_cast<float>(squares / total);
  }
}

void batch_norm_sums(const Context&, float* sums, ConstView dy, ConstView x, const float* mean,
                     const float* variance, const float* gamma, const float* beta,
                     const BatchNorm& norm) {
  for (Index c = 0; c < x.shape.c; ++c) {
    const double deviation = std::sqrt(static_cast<double>(variance[c]) + norm.epsilon);
    double sum_g = 0, sum_g_xhat = 0;
    for (Index p = 0; p < x.shape.pixels(); ++p) {
      const double xhat = (static_cast<double>(x.pixel(p)[c]) - mean[c]) / deviation;
      if (norm.relu && !(gamma[c] * xhat + beta[c] > 0)) continue;
      sum_g += dy.pixel(p)[c];
      sum_g_xhat += dy.pixel(p)[c] * xhat;
    }
    sums[c] = static_cast<float>(sum_g);
    sums[x.shape.c + c] = static_cast<float>(sum_g_xhat);
  }
}

void batch_norm_dx(const Context&, View dx, ConstView dy, ConstView x, const float* mean,
                   const float* variance, const float* gamma, const float* beta, const float* parts,
                   Index shards, Index count, const BatchNorm& norm) {
  const Index channels = x.shape.c;
  for (Index c = 0; c < channels; ++c) {
    const double deviation = std::sqrt(static_cast<double>(variance[c]) + norm.epsilon);
    double mean_g = 0, mean_g_xhat = 0;
    for (Index s = 0; s < shards; ++s) {
      mean_g += parts[2 * s * channels + c] / static_cast<double>(count);
      mean_g_xhat += parts[(2 * s + 1) * channels + c] / static_cast<double>(count);
    }
    for (Index p = 0; p < x.shape.pixels(); ++p) {
      const double xhat = (static_cast<double>(x.pixel(p)[c]) - mean[c]) / deviation;
      const bool passes = !norm.relu || gamma[c] * xhat + beta[c] > 0;
      const double g = passes ? static_cast<double>(dy.pixel(p)[c]) : 0.0;
      dx.pixel(p)[c] = static_cast<float>(gamma[c] / deviation * (g - mean_g - xhat * mean_g_xhat));
    }
  }
}

void batch_norm_fold(const Context&, float* scale, float* shift, const float* mean,
                     const float* variance, const float* gamma, const float* beta, Index channels,
                     const BatchNorm& norm) {
  for (Index c = 0; c < channels; ++c) {
    const double s = gamma[c] / std::sqrt(static_cast<double>(variance[c]) + norm.epsilon);
    scale[c] = static_cast<float>(s);
    shift[c] = static_cast<float>(beta[c] - mean[c] * s);
  }
}

}  // namespace twinage::naive
