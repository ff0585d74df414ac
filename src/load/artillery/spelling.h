// What a misspelt word was probably meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace securebase::load::artillery {

// The known word that is at most two letters away, or equal but for case and separators; empty if there is none.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);
// "; did you mean arrivalRate?", or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace securebase::load::artillery
