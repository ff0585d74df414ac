#include "k6/answers.h"

#include <charconv>
#include <memory>
#include <utility>

#include "k6/js.h"
#include "k6/natives.h"
#include "k6/user.h"

// In JSBasePrivate.h, which Debian does not install; the library exports it.
extern "C" void JSReportExtraMemoryCost(JSContextRef context, std::size_t bytes);

namespace securebase::k6 {

namespace {

// Places in the numbers that are shared with js/http.js.
enum Number : std::size_t {
  kStatus,
  kErrorCode,
  kBlocked,
  kLookingUp,
  kConnecting,
  kTls,
  kSending,
  kWaiting,
  kReceiving,
};

// The collector runs when enough has been made since it last did; it is told of answers in pieces of so many bytes,
// since telling takes the engine's lock.
constexpr std::size_t kTellEvery = 64 << 10;

struct Answer {
  HttpResponse response;
  std::string url;  // after redirects; empty: the one that was asked for
  Transfer::Body type = Transfer::Body::kText;
};

// While the engine sweeps, on whatever thread: nothing but memory of our own is touched.
void finalize(JSObjectRef object) { delete static_cast<Answer*>(JSObjectGetPrivate(object)); }

JSClassRef make_class() {
  JSClassDefinition definition = kJSClassDefinitionEmpty;
  definition.attributes = kJSClassAttributeNoAutomaticPrototype;
  definition.className = "Answer";
  definition.finalize = finalize;
  return JSClassCreate(&definition);
}

// Only js/http.js has answers in its hands.
Answer& answer_of(JSContextRef context, JSValueRef value) {
  return *static_cast<Answer*>(JSObjectGetPrivate(JSValueToObject(context, value, nullptr)));
}

}  // namespace

struct AnswerNatives {
  // Eight lines (status, protocol, the URL after redirects, IP, port, TLS version, cipher suite, error), and the
  // fields.
  static JSValueRef text(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                         JSValueRef*) {
    const Answer& answer = answer_of(context, a[0]);
    const HttpResponse& r = answer.response;
    char port[16];
    const auto port_end = std::to_chars(port, port + sizeof port, r.peer.port).ptr;
    std::string text;
    text.reserve(256 + r.head.size());
    for (const std::string_view line :
         {r.status_text(), r.protocol(), std::string_view(answer.url), std::string_view(r.peer.ip),
          std::string_view(port, static_cast<std::size_t>(port_end - port)), std::string_view(r.peer.tls_version),
          std::string_view(r.peer.tls_cipher_suite), std::string_view(r.error)}) {
      text.append(line).append("\n");
    }
    return js::make_string(context, text.append(r.head));
  }

  // Once: js/http.js keeps it from then on.
  static JSValueRef body(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                         JSValueRef*) {
    Answer& answer = answer_of(context, a[0]);
    if (answer.response.status == 0 || answer.type == Transfer::Body::kNone) return JSValueMakeNull(context);
    const std::string body = std::exchange(answer.response.body, {});
    return answer.type == Transfer::Body::kText ? js::make_string(context, body) : js::make_bytes(context, body);
  }

  static JSValueRef numbers(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                            JSValueRef*) {
    const HttpResponse& r = answer_of(context, a[0]).response;
    double* const n = current_user().numbers_;
    n[kErrorCode] = r.error_code;
    n[kBlocked] = r.timings.blocked;
    n[kLookingUp] = r.timings.looking_up;
    n[kConnecting] = r.timings.connecting;
    n[kTls] = r.timings.tls_handshaking;
    n[kSending] = r.timings.sending;
    n[kWaiting] = r.timings.waiting;
    n[kReceiving] = r.timings.receiving;
    return JSValueMakeUndefined(context);
  }

  static double* numbers_of(User& user) { return user.numbers_; }
};

Answers::Answers() : class_(make_class()) {}

Answers::~Answers() { JSClassRelease(class_); }

JSValueRef Answers::make(JSContextRef context, User& user, Transfer& transfer) {
  double* const n = AnswerNatives::numbers_of(user);
  n[kStatus] = transfer.response.status;
  n[kErrorCode] = transfer.response.error_code;
  auto answer = std::make_unique<Answer>();
  answer->response = std::move(transfer.response);
  if (transfer.redirected) answer->url = transfer.url->text();
  answer->type = transfer.response_type;
  untold_bytes_ += sizeof(Answer) + answer->response.head.capacity() + answer->response.body.capacity();
  if (untold_bytes_ >= kTellEvery) JSReportExtraMemoryCost(context, std::exchange(untold_bytes_, 0));
  return JSObjectMake(context, class_, answer.release());
}

void Answers::add_natives(JSContextRef context, JSObjectRef natives) {
  js::set(context, natives, "answerText", js::make_function(context, "answerText", AnswerNatives::text));
  js::set(context, natives, "answerBody", js::make_function(context, "answerBody", AnswerNatives::body));
  js::set(context, natives, "answerNumbers", js::make_function(context, "answerNumbers", AnswerNatives::numbers));
}

}  // namespace securebase::k6
