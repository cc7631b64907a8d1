#include "base/sha256.h"

#include <gtest/gtest.h>

namespace glyphward {
namespace {

// FIPS 180-4's examples; RFC 4231's test case 2, its key filled up with zeros as HMAC does itself.
TEST(Sha256, AgreesWithThePublishedVectors) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Hash key{};
  const std::string_view jefe = "Jefe";
  std::copy(jefe.begin(), jefe.end(), key.begin());
  EXPECT_EQ(to_hex(hmac_sha256(key, "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Sha256, PiecesGiveTheWhole) {
  Sha256 hasher;
  hasher.update("a");
  hasher.update("");
  hasher.update("bc");
  EXPECT_EQ(hasher.finish(), sha256("abc"));
}

TEST(Sha256, ChunksAreToldApart) {
  EXPECT_NE(sha256_of_chunks({"ab", "c"}), sha256_of_chunks({"a", "bc"}));
  EXPECT_NE(sha256_of_chunks({""}), sha256_of_chunks({}));
  EXPECT_EQ(sha256_of_chunks({"ab", "c"}), sha256("2:ab1:c"));
}

TEST(Sha256, HexadecimalIsReadAsItIsWritten) {
  const Hash hash = sha256("abc");
  EXPECT_EQ(from_hex(to_hex(hash)), hash);
  EXPECT_EQ(leading_number(hash), 0xba7816bf8f01cfeaU);
  for (std::string broken : {std::string(), std::string(63, '0'), std::string(65, '0'),
                             std::string(64, 'A'), std::string(63, '0') + 'g'})
    EXPECT_FALSE(from_hex(broken)) << broken;
}

}  // namespace
}  // namespace glyphward
