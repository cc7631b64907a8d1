// The categories of the lexicon's terms and the scale of their severity: the one list of each. A
// policy may declare categories of its own beside these (docs/POLICY.md).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace glyphward::lexicon {

struct Category {
  std::string_view name;
  std::string_view openai;  // the category of OpenAI's moderation API that it falls under
};

inline constexpr std::array kCategories = {
    Category{"profanity", "harassment"}, Category{"sexual", "sexual"},
    Category{"insult", "harassment"},    Category{"racial", "hate"},
    Category{"religious", "hate"},       Category{"lgbtq", "hate"},
    Category{"ableist", "hate"},         Category{"hate", "hate"},
    Category{"violence", "violence"},    Category{"self_harm", "self-harm"},
    Category{"threat", "harassment"},    Category{"drugs", "illicit"}};

inline constexpr const Category* find_category(std::string_view name) {
  const auto* found = std::find_if(kCategories.begin(), kCategories.end(),
                                   [&](const Category& one) { return one.name == name; });
  return found == kCategories.end() ? nullptr : found;
}

// Those of OpenAI's moderation API that a category may fall under.
inline constexpr std::array<std::string_view, 6> kOpenAiCategories = {
    "harassment", "hate", "illicit", "self-harm", "sexual", "violence"};

// The form of a category's name: a letter, then up to 31 letters, digits, _ and -, all lower case.
inline constexpr std::string_view kCategoryForm = "a-z, then up to 31 of a-z 0-9 _ -";
inline constexpr bool is_category_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

// 0 (harmless) to 7 (worst): Azure AI Content Safety's scale.
inline constexpr int kSeverityMax = 7;
// From here on a term that is to be drawn flags its prompt, whatever a policy does with it.
inline constexpr int kFlaggedSeverityMin = 2;
// From here on a term counts as drawn unless the prompt shows that it is description.
inline constexpr int kGraveSeverityMin = 5;

}  // namespace glyphward::lexicon
