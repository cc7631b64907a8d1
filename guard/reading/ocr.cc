#include "guard/reading/ocr.h"

#include <fmt/format.h>
#include <leptonica/allheaders.h>
#include <omp.h>
#include <tesseract/baseapi.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "base/config_error.h"

namespace glyphward::guard {

bool overlap(const Box& a, const Box& b) {
  return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

namespace {

Box united(const Box& a, const Box& b) {
  return {std::min(a.x0, b.x0), std::min(a.y0, b.y0), std::max(a.x1, b.x1), std::max(a.y1, b.y1)};
}

}  // namespace

std::vector<Box> merged(std::vector<Box> boxes) {
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < boxes.size() && !changed; ++i)
      for (std::size_t j = i + 1; j < boxes.size() && !changed; ++j) {
        if (!overlap(boxes[i], boxes[j])) continue;
        boxes[i] = united(boxes[i], boxes[j]);
        boxes.erase(boxes.begin() + static_cast<std::ptrdiff_t>(j));
        changed = true;
      }
  }
  return boxes;
}

std::string Pass::text() const {
  std::string text;
  const Word* previous = nullptr;
  for (const Word& word : words) {
    // A word that does not share its height's middle with the one before it stands on another line.
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

// ---- Scripts ------------------------------------------------------------------------------------

// The scripts of Tesseract's languages whose script is not Latin. Every model reads Latin letters
// too.
const std::multimap<std::string, UScriptCode>& scripts_by_language() {
  static const std::multimap<std::string, UScriptCode> scripts = {
      {"rus", USCRIPT_CYRILLIC},   {"ukr", USCRIPT_CYRILLIC},   {"bel", USCRIPT_CYRILLIC},
      {"bul", USCRIPT_CYRILLIC},   {"mkd", USCRIPT_CYRILLIC},   {"srp", USCRIPT_CYRILLIC},
      {"kaz", USCRIPT_CYRILLIC},   {"kir", USCRIPT_CYRILLIC},   {"mon", USCRIPT_CYRILLIC},
      {"tgk", USCRIPT_CYRILLIC},   {"tat", USCRIPT_CYRILLIC},   {"ell", USCRIPT_GREEK},
      {"grc", USCRIPT_GREEK},      {"ara", USCRIPT_ARABIC},     {"fas", USCRIPT_ARABIC},
      {"urd", USCRIPT_ARABIC},     {"pus", USCRIPT_ARABIC},     {"uig", USCRIPT_ARABIC},
      {"heb", USCRIPT_HEBREW},     {"yid", USCRIPT_HEBREW},     {"hin", USCRIPT_DEVANAGARI},
      {"mar", USCRIPT_DEVANAGARI}, {"nep", USCRIPT_DEVANAGARI}, {"san", USCRIPT_DEVANAGARI},
      {"ben", USCRIPT_BENGALI},    {"asm", USCRIPT_BENGALI},    {"tha", USCRIPT_THAI},
      {"kor", USCRIPT_HANGUL},     {"kor", USCRIPT_HAN},        {"jpn", USCRIPT_HAN},
      {"jpn", USCRIPT_HIRAGANA},   {"jpn", USCRIPT_KATAKANA},   {"chi_sim", USCRIPT_HAN},
      {"chi_tra", USCRIPT_HAN},    {"kat", USCRIPT_GEORGIAN},   {"hye", USCRIPT_ARMENIAN},
      {"tam", USCRIPT_TAMIL},      {"tel", USCRIPT_TELUGU},     {"kan", USCRIPT_KANNADA},
      {"mal", USCRIPT_MALAYALAM},  {"guj", USCRIPT_GUJARATI},   {"pan", USCRIPT_GURMUKHI},
      {"sin", USCRIPT_SINHALA},    {"khm", USCRIPT_KHMER},      {"lao", USCRIPT_LAO},
      {"mya", USCRIPT_MYANMAR},    {"amh", USCRIPT_ETHIOPIC},   {"tir", USCRIPT_ETHIOPIC},
  };
  return scripts;
}

bool readable_in(std::string_view text, const std::set<UScriptCode>& scripts) {
  const auto length = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < length;) {
    UChar32 character;
    U8_NEXT(text.data(), i, length, character);
    UErrorCode error = U_ZERO_ERROR;
    const UScriptCode script =
        character < 0 ? USCRIPT_UNKNOWN : uscript_getScript(character, &error);
    if (script == USCRIPT_COMMON || script == USCRIPT_INHERITED) continue;
    if (!scripts.contains(script)) return false;
  }
  return true;
}

// ---- Leptonica ----------------------------------------------------------------------------------

struct LeptonicaDeleter {
  void operator()(PIX* pix) const { ::pixDestroy(&pix); }
  void operator()(BOX* box) const { ::boxDestroy(&box); }
  void operator()(BOXA* boxes) const { ::boxaDestroy(&boxes); }
};
using Pixels = std::unique_ptr<PIX, LeptonicaDeleter>;
using LeptonicaBox = std::unique_ptr<BOX, LeptonicaDeleter>;
using LeptonicaBoxes = std::unique_ptr<BOXA, LeptonicaDeleter>;

Pixels checked(PIX* pix) {
  if (pix == nullptr) throw std::runtime_error("ocr: Leptonica cannot process the picture");
  return Pixels(pix);
}

int width(const Box& box) { return box.x1 - box.x0; }
int height(const Box& box) { return box.y1 - box.y0; }

bool contains(const Box& outer, const Box& inner) {
  return outer.x0 <= inner.x0 && outer.y0 <= inner.y0 && outer.x1 >= inner.x1 &&
         outer.y1 >= inner.y1;
}

Box clipped(const Box& box, int picture_width, int picture_height) {
  return {std::clamp(box.x0, 0, picture_width), std::clamp(box.y0, 0, picture_height),
          std::clamp(box.x1, 0, picture_width), std::clamp(box.y1, 0, picture_height)};
}

// One value a pixel: luminance, and the colour channel with the greatest contrast, which shows
// letters that differ from their ground in hue alone.
struct GrayPictures {
  Pixels luminance;
  Pixels channel;  // empty if luminance has nearly its contrast
};

GrayPictures gray_pictures(const model::Image& image) {
  const std::size_t pixels =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  if (image.width <= 0 || image.height <= 0 || image.rgb.size() != 3 * pixels)
    throw std::runtime_error("ocr: the picture's size and its bytes do not agree");
  double sum[4] = {}, squares[4] = {};
  const auto value = [&](std::size_t pixel, int channel) -> double {
    const std::uint8_t* rgb = image.rgb.data() + 3 * pixel;
    return channel < 3 ? rgb[channel] : 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
  };
  for (std::size_t pixel = 0; pixel < pixels; ++pixel)
    for (int channel = 0; channel < 4; ++channel) {
      const double v = value(pixel, channel);
      sum[channel] += v;
      squares[channel] += v * v;
    }
  double deviation[4];
  for (int channel = 0; channel < 4; ++channel) {
    const double mean = sum[channel] / static_cast<double>(pixels);
    deviation[channel] =
        std::sqrt(std::max(0.0, squares[channel] / static_cast<double>(pixels) - mean * mean));
  }
  const auto plane = [&](int channel) {
    Pixels pix = checked(::pixCreate(image.width, image.height, 8));
    l_uint32* data = ::pixGetData(pix.get());
    const int words_per_line = ::pixGetWpl(pix.get());
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x) {
        const auto pixel = static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                           static_cast<std::size_t>(x);
        SET_DATA_BYTE(data + static_cast<std::ptrdiff_t>(y) * words_per_line, x,
                      static_cast<int>(std::lround(value(pixel, channel))));
      }
    return pix;
  };
  const int strongest = static_cast<int>(std::max_element(deviation, deviation + 3) - deviation);
  GrayPictures pictures;
  pictures.luminance = plane(3);
  if (deviation[strongest] > 1.5 * deviation[3] + 4) pictures.channel = plane(strongest);
  return pictures;
}

// No two pixels differ by what anybody could see: Tesseract would read its own noise.
constexpr int kVisible = 8;

bool plain(const model::Image& image) {
  std::array<std::uint8_t, 3> least{255, 255, 255}, most{0, 0, 0};
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    least[i % 3] = std::min(least[i % 3], image.rgb[i]);
    most[i % 3] = std::max(most[i % 3], image.rgb[i]);
  }
  for (std::size_t channel = 0; channel < 3; ++channel)
    if (most[channel] - least[channel] > kVisible) return false;
  return true;
}

struct NumaDeleter {
  void operator()(NUMA* numbers) const { ::numaDestroy(&numbers); }
};

// Otsu's threshold over the whole picture, whatever its size; black (1) is the darker side.
Pixels binarized(PIX* gray) {
  const std::unique_ptr<NUMA, NumaDeleter> histogram(::pixGetGrayHistogram(gray, 1));
  l_int32 threshold = 128;
  if (!histogram || ::numaSplitDistribution(histogram.get(), 0.1F, &threshold, nullptr, nullptr,
                                            nullptr, nullptr, nullptr) != 0)
    throw std::runtime_error("ocr: Leptonica cannot binarize the picture");
  return checked(::pixThresholdToBinary(gray, threshold));
}

std::vector<Box> components(PIX* binary) {
  const LeptonicaBoxes found(::pixConnCompBB(binary, 8));
  if (!found) throw std::runtime_error("ocr: Leptonica cannot find components");
  std::vector<Box> boxes;
  const int count = ::boxaGetCount(found.get());
  for (int i = 0; i < count; ++i) {
    l_int32 x, y, w, h;
    if (::boxaGetBoxGeometry(found.get(), i, &x, &y, &w, &h) == 0)
      boxes.push_back({x, y, x + w, y + h});
  }
  return boxes;
}

constexpr int kComponentsMax = 4000;  // beyond: texture, not text
constexpr int kLettersHeightMin = 5;  // pixels of the picture

// Components of one polarity that may be letters: not joined to the picture's edge, which ground
// and frame are, not enclosing others, which a plate's outline does, and neither specks nor bars.
std::vector<Box> letter_boxes(PIX* binary) {
  const Pixels inner = checked(::pixRemoveBorderConnComps(binary, 8));
  std::vector<Box> boxes = components(inner.get());
  if (boxes.size() > kComponentsMax) return {};
  const int picture_height = ::pixGetHeight(binary);
  std::erase_if(boxes, [&](const Box& box) {
    return height(box) < kLettersHeightMin || height(box) > 9 * picture_height / 10 ||
           width(box) > 6 * height(box) || height(box) > 14 * width(box);
  });
  std::vector<Box> letters;
  for (const Box& box : boxes) {
    const auto enclosed = std::count_if(boxes.begin(), boxes.end(), [&](const Box& other) {
      return contains(box, other) && (width(other) < width(box) || height(other) < height(box));
    });
    if (enclosed < 2) letters.push_back(box);
  }
  return letters;
}

// Letters of like height that stand beside each other, from left to right.
std::vector<Box> lines_of(std::vector<Box> letters) {
  std::sort(letters.begin(), letters.end(), [](const Box& a, const Box& b) { return a.x0 < b.x0; });
  struct Line {
    Box box;
    Box last;
    int letters = 0;
  };
  std::vector<Line> lines;
  for (const Box& letter : letters) {
    Line* home = nullptr;
    for (Line& line : lines) {
      const int shared = std::min(letter.y1, line.last.y1) - std::max(letter.y0, line.last.y0);
      const int taller = std::max(height(letter), height(line.last));
      const int shorter = std::min(height(letter), height(line.last));
      if (2 * shared >= shorter && 3 * shorter >= taller && letter.x0 - line.box.x1 <= 2 * taller) {
        home = &line;
        break;
      }
    }
    if (home == nullptr) {
      lines.push_back({letter, letter, 1});
    } else {
      home->box = united(home->box, letter);
      home->last = letter;
      ++home->letters;
    }
  }
  std::vector<Box> boxes;
  for (const Line& line : lines)
    if (line.letters >= 2 || width(line.box) >= height(line.box)) boxes.push_back(line.box);
  return boxes;
}

// The line's part of the picture, enlarged to the height that Tesseract reads best, on a plain
// ground.
struct Crop {
  Pixels pix;
  double scale = 1;
  int x0 = 0, y0 = 0;  // of the part, in the picture
  int border = 0;      // pixels of pix
};

constexpr int kBorder = 20;

Crop cropped(PIX* gray, const Box& line, double scale) {
  const int margin = std::max(2, height(line) / 6);
  const Box part = clipped({line.x0 - margin, line.y0 - margin, line.x1 + margin, line.y1 + margin},
                           ::pixGetWidth(gray), ::pixGetHeight(gray));
  const LeptonicaBox box(::boxCreate(part.x0, part.y0, width(part), height(part)));
  const Pixels clip = checked(::pixClipRectangle(gray, box.get(), nullptr));
  const Pixels scaled =
      checked(::pixScale(clip.get(), static_cast<float>(scale), static_cast<float>(scale)));
  l_float32 ground = 255;
  ::pixGetRankValueMasked(scaled.get(), nullptr, 0, 0, 2, 0.5F, &ground, nullptr);
  Crop crop;
  crop.pix = checked(::pixAddBorderGeneral(scaled.get(), kBorder, kBorder, kBorder, kBorder,
                                           static_cast<l_uint32>(std::lround(ground))));
  crop.scale = scale;
  crop.x0 = part.x0;
  crop.y0 = part.y0;
  crop.border = kBorder;
  return crop;
}

// ---- Tesseract ----------------------------------------------------------------------------------

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
  explicit TesseractOcr(const std::string& languages) {
    scripts_ = {USCRIPT_LATIN};
    std::istringstream names(languages);
    for (std::string name; std::getline(names, name, '+');) {
      const auto [first, last] = scripts_by_language().equal_range(name);
      for (auto it = first; it != last; ++it) scripts_.insert(it->second);
    }
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
    const GrayPictures pictures = gray_pictures(image);
    Reading reading;
    if (plain(image)) return reading;
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

  // The whole picture as one column of lines and as scattered text, then each line that looks like
  // one, by itself.
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

  void read_lines(PIX* gray, const std::string& plane, Reading& reading) {
    const Pixels dark = binarized(gray);
    const Pixels light = checked(::pixInvert(nullptr, dark.get()));
    for (const auto& [polarity, binary] :
         {std::pair{"dark", dark.get()}, std::pair{"light", light.get()}}) {
      std::vector<Box> lines = lines_of(letter_boxes(binary));
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

  // How sure a pass is, from 0 to 100, and more where other passes read the same: one sure letter
  // is no reading.
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
  std::set<UScriptCode> scripts_;
};

}  // namespace

bool Ocr::inspectable(std::string_view text) const { return readable_in(text, {USCRIPT_LATIN}); }

std::unique_ptr<Ocr> Ocr::open(const std::string& languages) {
  return std::make_unique<TesseractOcr>(languages);
}

}  // namespace glyphward::guard
