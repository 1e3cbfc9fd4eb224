#include "net/multipart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::net {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kType = "multipart/form-data; boundary=XX";

std::string part(const std::string& disposition, const std::string& content) {
  return "--XX\r\nContent-Disposition: " + disposition + "\r\n\r\n" + content + "\r\n";
}
std::string field(const std::string& name, const std::string& content) {
  return part("form-data; name=\"" + name + "\"", content);
}
const std::string kEnd = "--XX--\r\n";

std::string model_of(const std::string& type, const std::string& body) {
  const BodyResult result = read_form_fields(type, body, true);
  return result.fields ? result.fields->model : "! " + result.detail;
}
std::string model_of(const std::string& body) {
  return model_of(kType, body);
}
BodyFault fault_of(const std::string& body, const std::string& type = kType) {
  const BodyResult result = read_form_fields(type, body, true);
  EXPECT_FALSE(result.fields.has_value());
  EXPECT_FALSE(result.detail.empty());
  return result.fault;
}

TEST(Form, IsKnownByItsMediaType) {
  EXPECT_TRUE(is_form("multipart/form-data; boundary=a"));
  EXPECT_TRUE(is_form("Multipart/Form-Data"));
  EXPECT_FALSE(is_form("multipart/mixed; boundary=a"));
  EXPECT_FALSE(is_form("application/json"));
  EXPECT_FALSE(is_form(""));
}

TEST(Form, TellsItsModelBesideAFile) {
  const std::string file =
      part("form-data; name=\"file\"; filename=\"a.wav\"", "RIFF\r\n--XY\r\n\0x");
  EXPECT_EQ(model_of(field("model", "whisper") + file + kEnd), "whisper");
  EXPECT_EQ(model_of(file + field("model", "whisper") + kEnd), "whisper");
  EXPECT_EQ(model_of(field("model", "a\r\nb ") + kEnd), "a\r\nb ") << "as it is";
}

TEST(Form, OnlyAFieldNamesTheModel) {
  EXPECT_EQ(fault_of(part("form-data; name=\"model\"; filename=\"x\"", "m") + kEnd),
            BodyFault::NoModel);
  EXPECT_EQ(fault_of(part("form-data; name=\"model\"; filename*=utf-8''x", "m") + kEnd),
            BodyFault::NoModel);
  EXPECT_EQ(fault_of(field("Model", "m") + kEnd), BodyFault::NoModel);
  EXPECT_EQ(fault_of(field("model", "a") + field("model", "a") + kEnd), BodyFault::TwoModels);
  EXPECT_EQ(fault_of(field("model", "") + kEnd), BodyFault::EmptyModel);
  EXPECT_EQ(fault_of(kEnd), BodyFault::NoModel);
  std::string grammar = "root ::=";
  for (int i = 0; i < 1000; ++i) {
    grammar += " [a]{1,1999}";
  }
  EXPECT_EQ(fault_of(field("model", "m") + field("grammar", grammar) + kEnd),
            BodyFault::SchemaTooLarge);
  const BodyResult none = read_form_fields(kType, kEnd, false);
  ASSERT_TRUE(none.fields.has_value());
  EXPECT_EQ(none.fields->model, "");
}

TEST(Form, TellsWhetherTheAnswerStreams) {
  const auto streams = [](const std::string& value) {
    return read_form_fields(kType, field("model", "m") + field("stream", value) + kEnd, true)
        .fields->stream;
  };
  EXPECT_TRUE(streams("true"));
  EXPECT_TRUE(streams("True"));
  EXPECT_FALSE(streams("false"));
  EXPECT_FALSE(streams(""));
}

TEST(Form, MayHaveAPreambleAndAnEpilogue) {
  const std::string form = field("model", "m") + kEnd;
  EXPECT_EQ(model_of("This is a form.\r\n" + form), "m");
  EXPECT_EQ(model_of(form + "and more\r\n--XX\r\n"), "m");
  EXPECT_EQ(
      model_of("--XX \t\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n--XX-- \r\n"),
      "m");
  EXPECT_EQ(model_of(field("model", "m") + "--XX--"), "m");
}

TEST(Form, BoundariesAreTakenAsTheyAreWritten) {
  const auto with = [](const std::string& type, const std::string& boundary) {
    const std::string body = "--" + boundary +
                             "\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--" +
                             boundary + "--\r\n";
    return model_of("multipart/form-data" + type, body);
  };
  EXPECT_EQ(with("; boundary=\"X X\"", "X X"), "m");
  EXPECT_EQ(with(";boundary=a'()+_,-./:=?b", "a'()+_,-./:=?b"), "m");
  EXPECT_EQ(with("; charset=utf-8; BOUNDARY=a", "a"), "m");
  EXPECT_EQ(with("; boundary=a; charset=utf-8;", "a"), "m");
  EXPECT_EQ(with("; boundary=----WebKitFormBoundaryAAA", "----WebKitFormBoundaryAAA"), "m");
  EXPECT_EQ(with("; boundary=" + std::string(70, 'b'), std::string(70, 'b')), "m");
  for (const std::string type :
       {"", "; boundary=", "; boundary=\"\"", "; boundary=\"a", "; boundary=a; boundary=a",
        "; boundary=a\x01", "; boundary=\"a \"", "; boundary"}) {
    EXPECT_THAT(with(type, "a"), HasSubstr("no usable boundary")) << type;
  }
  EXPECT_THAT(with("; boundary=" + std::string(71, 'b'), std::string(71, 'b')),
              HasSubstr("no usable boundary"));
}

TEST(Form, NamesMayBeQuotedOrNot) {
  EXPECT_EQ(model_of(part("form-data; name=model", "m") + kEnd), "m");
  EXPECT_EQ(model_of(part("FORM-DATA;NAME=\"model\"", "m") + kEnd), "m");
  EXPECT_EQ(
      model_of(part(R"(form-data; name="mo\"del"; x="C:\y")", "a") + field("model", "m") + kEnd),
      "m");
  EXPECT_EQ(model_of("--XX\r\nContent-Type: text/plain\r\ncontent-disposition:form-data; "
                     "name=\"model\"\r\n\r\nm\r\n" +
                     kEnd),
            "m");
}

TEST(Form, IsRefusedWhereReadersCouldDiffer) {
  const std::vector<std::string> bodies{
      "",
      "model=m",
      "--XX",
      "--XXY\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--XXY--\r\n",
      "--XX\nContent-Disposition: form-data; name=\"model\"\n\nm\n--XX--\n",
      "--XX\r\n\r\nm\r\n" + kEnd,
      "--XX\r\nContent-Type: text/plain\r\n\r\nm\r\n" + kEnd,
      part("attachment; name=\"model\"", "m") + kEnd,
      part("form-data", "m") + kEnd,
      part("form-data; name=\"model\"; name=\"x\"", "m") + kEnd,
      part("form-data; name=\"model", "m") + kEnd,
      part("form-data; name", "m") + kEnd,
      part("form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"model\"", "m") + kEnd,
      part("form-data;\r\n name=\"model\"", "m") + kEnd,
      part("form-data; name=\"model\"\r\nno colon", "m") + kEnd,
      part("form-data; name=\"model\"\r\nContent-Transfer-Encoding: base64", "bQ==") + kEnd,
      field("model", "m") + "--XX- \r\n",
      field("model", "m") + "--XXjunk\r\n" + kEnd,
      field("model", "m") + "--XX--junk\r\n",
      part("form-data; name=\"" + std::string(kPartHeaderBytesMax, 'n') + "\"", "m") + kEnd,
  };
  for (const std::string& body : bodies) {
    EXPECT_EQ(fault_of(body), BodyFault::NotForm) << body.substr(0, 200);
  }
  EXPECT_EQ(fault_of(field("model", "m") + kEnd, "multipart/mixed; boundary=XX"),
            BodyFault::NotForm);
}

TEST(Form, CutAnywhereIsRefused) {
  const std::string whole = "preamble\r\n" + field("model", "m") +
                            part("form-data; name=\"file\"; filename=\"a\"", "data\r\n--X") +
                            "--XX--";
  ASSERT_EQ(model_of(whole), "m");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(read_form_fields(kType, whole.substr(0, length), true).fields.has_value())
        << length;
  }
}

TEST(Form, HasABoundedNumberOfParts) {
  std::string body = field("model", "m");
  for (int i = 1; i < kFormPartsMax; ++i) {
    body += field("x", "");
  }
  EXPECT_EQ(model_of(body + kEnd), "m");
  EXPECT_EQ(fault_of(body + field("x", "") + kEnd), BodyFault::TooManyParts);
}

TEST(Form, FaultsRepeatNothingOfTheBody) {
  for (const std::string& body :
       {field("model", "canary"), part("form-data; canary", "canary") + kEnd,
        field("model", "canary") + field("model", "canary") + kEnd}) {
    EXPECT_THAT(read_form_fields(kType, body, true).detail, Not(HasSubstr("canary")));
  }
}

}  // namespace
}  // namespace hf::net
