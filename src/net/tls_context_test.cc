#include "net/tls_context.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <ctime>
#include <fstream>
#include <sstream>

#include "net/testing/tls_wire.h"

namespace hf::net::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::filesystem::path write(const TestCertificate& beside, const std::string& text) {
  const auto path = beside.folder() / "written.pem";
  std::ofstream(path) << text;
  return path;
}

// Why it is refused; "" if it is not.
std::string refusal(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  const auto context = TlsContext::load(certificate, key);
  if (context) {
    return {};
  }
  EXPECT_THAT(context.error().message, Not(HasSubstr("/tmp"))) << "no path";
  return context.error().message;
}

std::int64_t now() {
  return std::time(nullptr);
}

CertificateFacts facts(const TestCertificate::Options& options) {
  const TestCertificate made(options);
  return made.load()->facts();
}

TEST(TlsContext, TellsWhatACertificateIsFor) {
  const CertificateFacts found = facts({"a.example", 30});
  EXPECT_THAT(found.names, ElementsAre("a.example", "127.0.0.1",
                                       "0000:0000:0000:0000:0000:0000:"
                                       "0000:0001"));
  EXPECT_THAT(facts_text(found), HasSubstr("a.example, 127.0.0.1"));
  EXPECT_THAT(facts_text(found), HasSubstr(", until 20"));
  EXPECT_THAT(certificate_warnings(found, now()), IsEmpty());
}

TEST(TlsContext, WarnsOfWhatClientsWillRefuse) {
  EXPECT_THAT(certificate_warnings(facts({"a", -1}), now()), ElementsAre(HasSubstr("has expired")));
  EXPECT_THAT(certificate_warnings(facts({"a", 5}), now() + 60),
              ElementsAre(HasSubstr("expires within 5 days;")));
  EXPECT_THAT(certificate_warnings(facts({"", 30}), now()),
              ElementsAre(HasSubstr("names no host")));
  EXPECT_THAT(certificate_warnings(facts({"a", 30}), now() - 100 * 86'400),
              ElementsAre(HasSubstr("not valid yet")));
}

TEST(TlsContext, WarnsOfAKeyThatEverybodyMayRead) {
  const TestCertificate made;
  ::chmod(made.key().c_str(), 0640);
  EXPECT_THAT(certificate_warnings(made.load()->facts(), now()), IsEmpty());
  ::chmod(made.key().c_str(), 0644);
  EXPECT_THAT(certificate_warnings(made.load()->facts(), now()),
              ElementsAre(HasSubstr("chmod 600")));
}

TEST(TlsContext, SaysWhatIsWrongWithTheFiles) {
  const TestCertificate made;
  const TestCertificate other;
  EXPECT_THAT(refusal(made.certificate(), other.key()), HasSubstr("tls.key: the key belongs to"));
  EXPECT_THAT(refusal(made.key(), made.certificate()), HasSubstr("the other way round"));
  EXPECT_THAT(refusal(made.folder() / "none", made.key()),
              HasSubstr("tls.certificate: the file cannot be read: No such file"));
  EXPECT_THAT(refusal(made.certificate(), made.folder()), HasSubstr("tls.key: not a regular file"));
  EXPECT_THAT(refusal(write(made, ""), made.key()), HasSubstr("holds no certificate"));
  EXPECT_THAT(refusal(made.certificate(), made.certificate()), HasSubstr("holds no private key"));
  std::string damaged = read(made.certificate());
  damaged.replace(100, 20, "AAAAAAAAAAAAAAAAAAAA");
  EXPECT_THAT(refusal(write(made, damaged), made.key()), HasSubstr("damaged"));
  damaged = read(made.key());
  damaged.replace(60, 20, "AAAAAAAAAAAAAAAAAAAA");
  EXPECT_THAT(refusal(made.certificate(), write(made, damaged)), HasSubstr("damaged"));
}

TEST(TlsContext, APipeIsNotWaitedFor) {
  const TestCertificate made;
  const auto pipe = made.folder() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(refusal(pipe, made.key()), HasSubstr("not a regular file"));
}

TEST(TlsContext, AnEncryptedKeyIsRefusedWithoutAPrompt) {
  const TestCertificate made;
  for (const char* text :
       {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAA\n"
        "-----END RSA PRIVATE KEY-----\n"}) {
    EXPECT_THAT(refusal(made.certificate(), write(made, text)), HasSubstr("the key is encrypted"));
  }
}

TEST(TlsContext, AChainBeginsWithTheServersOwn) {
  const TestCertificate made;
  const TestCertificate authority;
  const std::string own = read(made.certificate());
  const std::string above = read(authority.certificate());
  EXPECT_EQ(refusal(write(made, own + above), made.key()), "");
  EXPECT_THAT(refusal(write(made, above + own), made.key()), HasSubstr("must be the first"));
}

}  // namespace
}  // namespace hf::net::testing
