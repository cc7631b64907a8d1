#include "guard/reading/ocr.h"

#include <fmt/format.h>
#include <omp.h>
#include <tesseract/baseapi.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "base/config_error.h"
#include "guard/reading/scripts.h"
#include "guard/reading/text_lines.h"

// How a picture is read. One way misses what another reads, so each of its gray pictures
// (luminance, and a colour channel where hue alone makes the letters) is read in several passes:
//
//   whole sparse   the whole picture, enlarged if it is small, as scattered text: Tesseract finds
//                  the words itself
//   whole line     a small picture as one line, which sparse text takes for texture
//   dark lines     each line that looks like one (text_lines.cc), by itself, at the height that
//   light lines    Tesseract reads best; once with the dark side as ink, once with the light
//
// A pass is kept as it is, for judge.h to compare: here nothing is merged, corrected or dropped,
// but for a best text and the boxes of fair words, which people and redaction want (summarize()).

namespace glyphward::guard {

std::string Pass::text() const {
  std::string text;
  const Word* previous = nullptr;
  for (const Word& word : words) {
    // A word that does not share its height's middle with the one before it is on another line.
    if (previous != nullptr) {
      const int middle = (word.box.y0 + word.box.y1) / 2;
      const bool same_line = middle >= previous->box.y0 && middle < previous->box.y1 &&
                             word.box.x0 >= previous->box.x0;
      text += same_line ? ' ' : '\n';
    }
    text += word.text;
    previous = &word;
  }
  return text;
}

namespace {

// Tesseract's loops ask for four threads each, which at these sizes only costs: every parallel
// region of OpenMP is serial within this scope, on this thread (the environment's OMP_THREAD_LIMIT
// would bind LibTorch too).
class SerialScope {
 public:
  SerialScope() : levels_(::omp_get_max_active_levels()) { ::omp_set_max_active_levels(0); }
  SerialScope(const SerialScope&) = delete;
  SerialScope& operator=(const SerialScope&) = delete;
  ~SerialScope() { ::omp_set_max_active_levels(levels_); }

 private:
  int levels_;
};

constexpr int kDotsPerInch = 70;     // of a picture as given
constexpr int kLinesMax = 12;        // the tallest lines that are read by themselves
constexpr int kLineHeight = 56;      // pixels, after scaling
constexpr int kWholeSideMax = 1024;  // smaller pictures are enlarged towards it
constexpr double kScaleMax = 3;

class TesseractOcr final : public Ocr {
 public:
  explicit TesseractOcr(const std::string& languages) : scripts_(scripts_of(languages)) {
    ::setMsgSeverity(L_SEVERITY_NONE);
    const SerialScope serial;
    if (api_.Init(nullptr, languages.c_str(), tesseract::OEM_LSTM_ONLY) != 0)
      throw ConfigError(
          "ocr", 0, "languages",
          "Tesseract has no data for '" + languages +
              "': install the Debian package tesseract-ocr-LANGUAGE, or set TESSDATA_PREFIX");
    require_loaded(languages);
    api_.SetVariable("debug_file", "/dev/null");
  }

  Reading read(const model::Image& image) override {
    const SerialScope serial;
    const GrayPictures pictures = gray_pictures(image);  // checks the picture's bytes too
    Reading reading;
    if (is_plain(image)) return reading;
    read_plane(pictures.luminance.get(), "", reading);
    if (pictures.channel) read_plane(pictures.channel.get(), "channel ", reading);
    summarize(image, reading);
    return reading;
  }

  bool inspectable(std::string_view text) const override { return readable_in(text, scripts_); }

 private:
  // Init() is content when one of several languages loads.
  void require_loaded(const std::string& languages) {
    std::vector<std::string> loaded;
    api_.GetLoadedLanguagesAsVector(&loaded);
    std::istringstream names(languages);
    for (std::string name; std::getline(names, name, '+');)
      if (std::find(loaded.begin(), loaded.end(), name) == loaded.end())
        throw ConfigError(
            "ocr", 0, "languages",
            fmt::format(
                "Tesseract has no data for '{0}': install the Debian package tesseract-ocr-{0}",
                name));
  }

  // The passes over one gray picture.
  void read_plane(PIX* gray, const std::string& plane, Reading& reading) {
    const int side = std::max<int>(::pixGetWidth(gray), ::pixGetHeight(gray));
    const double scale = std::clamp(static_cast<double>(kWholeSideMax) / side, 1.0, kScaleMax);
    Crop whole;
    whole.pix = checked(::pixScale(gray, static_cast<float>(scale), static_cast<float>(scale)));
    whole.scale = scale;
    reading.passes.push_back(
        {plane + "whole sparse", recognize(whole, tesseract::PSM_SPARSE_TEXT, gray)});
    if (side <= kSmallSide)
      reading.passes.push_back(
          {plane + "whole line", recognize(whole, tesseract::PSM_RAW_LINE, gray)});
    read_lines(gray, plane, reading);
  }

  // The largest lines of each polarity, in reading order.
  void read_lines(PIX* gray, const std::string& plane, Reading& reading) {
    const Pixels dark = binarized(gray);
    const Pixels light = checked(::pixInvert(nullptr, dark.get()));
    for (const auto& [polarity, binary] :
         {std::pair{"dark", dark.get()}, std::pair{"light", light.get()}}) {
      std::vector<Box> lines = find_lines(binary);
      std::sort(lines.begin(), lines.end(), [](const Box& a, const Box& b) {
        return height(a) * width(a) > height(b) * width(b);
      });
      if (lines.size() > kLinesMax) lines.resize(kLinesMax);
      std::sort(lines.begin(), lines.end(), [](const Box& a, const Box& b) {
        return std::pair(a.y0, a.x0) < std::pair(b.y0, b.x0);
      });
      Pass pass{plane + polarity + " lines", {}};
      for (const Box& line : lines) {
        const double scale = std::clamp(static_cast<double>(kLineHeight) / height(line), 0.25, 4.0);
        const Crop crop = cropped(gray, line, scale);
        for (Word& word : recognize(crop, tesseract::PSM_SINGLE_LINE, gray))
          pass.words.push_back(std::move(word));
      }
      reading.passes.push_back(std::move(pass));
    }
  }

  // The words that Tesseract reads in the crop, with their boxes in `picture`, which it was cut
  // from.
  std::vector<Word> recognize(const Crop& crop, tesseract::PageSegMode mode, PIX* picture) {
    api_.SetPageSegMode(mode);
    api_.SetImage(crop.pix.get());
    api_.SetSourceResolution(
        static_cast<int>(std::lround(kDotsPerInch * std::max(1.0, crop.scale))));
    if (api_.Recognize(nullptr) != 0)
      throw std::runtime_error("ocr: Tesseract cannot read the picture");
    std::vector<Word> words;
    const std::unique_ptr<tesseract::ResultIterator> it(api_.GetIterator());
    if (!it) return words;  // no text found
    do {
      const std::unique_ptr<char[]> text(it->GetUTF8Text(tesseract::RIL_WORD));
      if (!text || text[0] == '\0') continue;
      Word word;
      word.text.append(text.get());
      while (!word.text.empty() && (word.text.back() == '\n' || word.text.back() == ' '))
        word.text.pop_back();
      if (word.text.empty()) continue;
      word.confidence = it->Confidence(tesseract::RIL_WORD);
      int x0, y0, x1, y1;
      if (!it->BoundingBox(tesseract::RIL_WORD, &x0, &y0, &x1, &y1)) continue;
      // Back through border, scale and place; outward, so that the box keeps all of the word.
      const auto map = [&](int v, int origin, bool up) {
        const double exact = (v - crop.border) / crop.scale + origin;
        return static_cast<int>(up ? std::ceil(exact) : std::floor(exact));
      };
      word.box = clipped({map(x0, crop.x0, false), map(y0, crop.y0, false), map(x1, crop.x0, true),
                          map(y1, crop.y0, true)},
                         ::pixGetWidth(picture), ::pixGetHeight(picture));
      words.push_back(std::move(word));
    } while (it->Next(tesseract::RIL_WORD));
    api_.Clear();
    return words;
  }

  static std::string letters_of(const std::string& text) {
    std::string letters;
    for (unsigned char c : text)
      if (c >= 128 || std::isalnum(c) != 0) letters += static_cast<char>(std::toupper(c));
    return letters;
  }

  // How good a pass is: its words' confidence, from 0 to 100, weighed by their length, and 25 for
  // each other pass that reads the same. Less for one or two letters: one sure letter is no
  // reading.
  static double score(const Reading& reading, const Pass& pass) {
    double weight = 0, bytes = 0;
    for (const Word& word : pass.words) {
      weight += word.confidence * static_cast<double>(word.text.size());
      bytes += static_cast<double>(word.text.size());
    }
    const std::string letters = letters_of(pass.text());
    if (letters.empty()) return 0;
    double agreeing = -1;  // with itself
    for (const Pass& other : reading.passes)
      agreeing += agreement(letters, letters_of(other.text()));
    return weight / bytes * std::min(1.0, static_cast<double>(letters.size()) / 3) +
           25.0 * agreeing;
  }

  // Two readings of one text: the same, or one with a frame's edge read as another letter or two.
  static double agreement(const std::string& a, const std::string& b) {
    const auto& [shorter, longer] = std::minmax(
        a, b, [](const std::string& x, const std::string& y) { return x.size() < y.size(); });
    if (shorter.empty() || longer.find(shorter) == std::string::npos) return 0;
    return static_cast<double>(shorter.size()) / static_cast<double>(longer.size());
  }

  // The text of the best pass, and the boxes of all words that some pass is fairly sure of.
  static void summarize(const model::Image& image, Reading& reading) {
    double best = 0;
    for (const Pass& pass : reading.passes) {
      for (const Word& word : pass.words)
        if (word.confidence >= kFairConfidence && !letters_of(word.text).empty())
          reading.boxes.push_back(clipped(word.box, image.width, image.height));
      if (const double found = score(reading, pass); found > best) {
        best = found;
        reading.best = pass.text();
      }
    }
    reading.boxes = merged(std::move(reading.boxes));
  }

  static constexpr double kFairConfidence = 40;  // noise is mostly below
  static constexpr int kSmallSide = 256;         // a picture so small holds one line, seldom more

  tesseract::TessBaseAPI api_;
  const std::set<UScriptCode> scripts_;
};

}  // namespace

bool Ocr::inspectable(std::string_view text) const { return readable_in(text, {USCRIPT_LATIN}); }

std::unique_ptr<Ocr> Ocr::open(const std::string& languages) {
  return std::make_unique<TesseractOcr>(languages);
}

}  // namespace glyphward::guard
