// What each file of this folder makes; the table of losses.cpp names them.
#pragma once
#include "kernels/triplet/triplet.h"
#include "siamese/losses/loss.h"

namespace twinage {

std::unique_ptr<Loss> make_pair_loss(PairLossKind kind, const LossSetup& setup);
std::unique_ptr<Loss> make_triplet_loss(TripletKind kind, const LossSetup& setup);
std::unique_ptr<Loss> make_scale_varying_triplet_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_log_ratio_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_rank_n_contrast_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_lifted_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_n_pair_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_gender_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_age_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_label_distribution_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_mean_variance_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_ranking_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_regression_loss(const LossSetup& setup);
std::unique_ptr<Loss> make_stagewise_loss(const LossSetup& setup);

}  // namespace twinage
