#include "load/artillery/outgoing.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/file.h"
#include "base/random.h"

namespace securebase::load::artillery {
namespace {

constexpr std::size_t kMostFile = std::size_t{256} << 20;

const std::string* value_of(const HeaderList& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& one) { return one.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

void add_if_missing(HeaderList& headers, std::string_view name, std::string_view value) {
  if (value_of(headers, name) == nullptr) headers.emplace_back(std::string(name), std::string(value));
}

// As new URL() has it: what a URL may not hold is percent-encoded.
std::string escaped_url(std::string text) {
  const auto wrong = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '"' || c == '<' ||
           c == '>' || c == '`' || c == '{' || c == '}';
  };
  if (std::none_of(text.begin(), text.end(), wrong)) return text;
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= 0x20) text.pop_back();
  std::string out;
  for (const char c : text) {
    if (wrong(c)) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

// As npm's qs writes it: a[b]=1, list[0]=x, with the brackets encoded.
void append_query(const std::string& name, const base::Json& value, std::string& out, int depth) {
  if (const auto* list = value.as_array(); list != nullptr && depth < 16) {
    for (std::size_t i = 0; i < list->size(); ++i)
      append_query(fmt::format("{}[{}]", name, i), (*list)[i], out, depth + 1);
    return;
  }
  if (const auto* members = value.as_object(); members != nullptr && depth < 16) {
    for (const auto& [key, member] : *members) append_query(fmt::format("{}[{}]", name, key), member, out, depth + 1);
    return;
  }
  std::string text;
  if (!value.is_null()) append_as_text(&value, text);
  out += fmt::format("{}{}={}", out.empty() ? "" : "&", base::percent_encode(name), base::percent_encode(text));
}

std::string query_text(const base::Json& query) {
  std::string out;
  if (const auto* members = query.as_object()) {
    for (const auto& [name, value] : *members) append_query(name, value, out, 0);
  }
  return out;
}

// application/x-www-form-urlencoded, as URLSearchParams writes it.
std::string form_text(const base::Json& form) {
  std::string out;
  const auto* members = form.as_object();
  if (members == nullptr) return out;
  const auto encoded = [](std::string_view text) {
    std::string escaped;
    for (const char c : base::percent_encode(text, "*")) escaped += c;
    for (auto at = escaped.find("%20"); at != std::string::npos; at = escaped.find("%20", at))
      escaped.replace(at, 3, "+");
    return escaped;
  };
  for (const auto& [name, value] : *members) {
    std::string text;
    append_as_text(&value, text);
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", encoded(name), encoded(text));
  }
  return out;
}

// In quotes (WHATWG HTML, "multipart/form-data encoding algorithm"): a name ends neither its quotes nor its line.
std::string quoted_part(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\r' || c == '\n') {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

// RFC 7578.
Result<Done> add_multipart(const RequestStep& step, const Variables& variables, const std::filesystem::path& beside,
                           FormFiles& files, Outgoing& request) {
  const std::string boundary = fmt::format("----securebase{}", base::random_hex(24));
  for (const auto& part : step.form_data) {
    request.body += fmt::format("--{}\r\nContent-Disposition: form-data; name={}", boundary, quoted_part(part.name));
    std::string content;
    if (part.file) {
      const std::filesystem::path given = part.file->text(variables);
      const auto path = given.is_absolute() ? given : beside / given;
      auto bytes = files.read(path);
      if (!bytes) return bytes.error();
      content = **bytes;
      request.body += fmt::format("; filename={}", quoted_part(path.filename().native()));
    } else {
      const auto value = part.value.value(variables);
      append_as_text(&value, content);
    }
    if (part.content_type) {
      std::string type = part.content_type->text(variables);
      std::erase_if(type, [](char c) { return c == '\r' || c == '\n'; });
      request.body += fmt::format("\r\nContent-Type: {}", type);
    } else if (part.file) {
      request.body += "\r\nContent-Type: application/octet-stream";
    }
    request.body += fmt::format("\r\n\r\n{}\r\n", content);
  }
  request.body += fmt::format("--{}--\r\n", boundary);
  add_if_missing(request.headers, "content-type", fmt::format("multipart/form-data; boundary={}", boundary));
  return Done{};
}

Result<Done> add_body(const RequestStep& step, const Variables& variables, const std::filesystem::path& beside,
                      FormFiles& files, Outgoing& request) {
  if (step.json && truthy(step.json->source())) {
    step.json->append_json(variables, request.body);
    add_if_missing(request.headers, "content-type", "application/json");
  } else if (!step.form_data.empty()) {
    return add_multipart(step, variables, beside, files, request);
  } else if (step.form) {
    request.body = form_text(step.form->value(variables));
    add_if_missing(request.headers, "content-type", "application/x-www-form-urlencoded");
  } else if (step.body) {
    const auto value = step.body->value(variables);
    if (!value.is_null()) append_as_text(&value, request.body);
  }
  return Done{};
}

}  // namespace

Result<const std::string*> FormFiles::read(const std::filesystem::path& path) {
  const auto known = files_.find(path);
  if (known != files_.end()) return &known->second;
  auto bytes = base::read_file(path, kMostFile);
  if (!bytes) return bytes.error();
  return &files_.emplace(path, std::move(*bytes)).first->second;
}

Result<Outgoing> fill_request(const Config& config, const RequestStep& step, const Variables& variables, CookieJar* jar,
                              const std::filesystem::path& beside, FormFiles& files) {
  Outgoing request;
  request.method = step.method;
  std::string url = step.url.text(variables);
  if (url.starts_with('/')) url = config.target + url;
  if (step.query) {
    const std::string query = query_text(step.query->value(variables));
    url = url.substr(0, url.find('#'));
    url = url.substr(0, url.find('?'));  // qs stands in the place of what the url has, as got has it
    if (!query.empty()) url += "?" + query;
  }
  request.url_text = escaped_url(std::move(url));
  auto parsed = parse_url(request.url_text);
  if (!parsed) {
    // Artillery's own word for what is no address of HTTP at all, and Node's code for the rest.
    const bool http = request.url_text.starts_with("http://") || request.url_text.starts_with("https://");
    return Error{Errc::kMalformed, http ? "ERR_INVALID_URL" : fmt::format("Invalid URL - {}", request.url_text)};
  }
  request.url = std::move(*parsed);
  request.headers.reserve(step.headers.size() + config.default_headers.size() + 3);
  for (const auto& [name, value] : config.default_headers) {
    const bool replaced =
        std::any_of(step.headers.begin(), step.headers.end(), [&](const auto& one) { return one.first == name; });
    if (!replaced) request.headers.emplace_back(name, value.text(variables));
  }
  for (const auto& [name, value] : step.headers) request.headers.emplace_back(name, value.text(variables));
  if (step.decompress) add_if_missing(request.headers, "accept-encoding", "gzip, deflate, br");
  if (auto added = add_body(step, variables, beside, files, request); !added) return added.error();
  if (step.auth) {
    add_if_missing(request.headers, "authorization",
                   "Basic " + base::base64(fmt::format("{}:{}", step.auth->first.text(variables),
                                                       step.auth->second.text(variables))));
  }
  if (config.tracing) request.headers.emplace_back("traceparent", traceparent(*config.tracing));
  if (jar != nullptr) {
    for (const auto& [name, value] : config.default_cookies) jar->set(request.url, name, value.text(variables));
    for (const auto& [name, value] : step.cookies) jar->set(request.url, name, value.text(variables));
    if (std::string field = jar->field_for(request.url); !field.empty()) {
      std::erase_if(request.headers, [](const auto& one) { return one.first == "cookie"; });
      request.headers.emplace_back("cookie", std::move(field));
    }
  }
  return request;
}

bool same_for_all(const Config& config, const RequestStep& step) {
  const auto constant = [](const TemplateList& list) {
    return std::all_of(list.begin(), list.end(), [](const auto& one) { return one.second.constant(); });
  };
  return step.url.constant() && constant(step.headers) && constant(config.default_headers) && step.cookies.empty() &&
         config.default_cookies.empty() && !step.auth && !step.query && step.form_data.empty() && !config.tracing &&
         (!step.json || step.json->constant()) && (!step.form || step.form->constant()) &&
         (!step.body || step.body->constant());
}

Result<Outgoing> redirected(const Outgoing& request, int status, std::string_view location) {
  auto url = resolve_url(request.url, escaped_url(std::string(location)));
  if (!url) return url.error();
  Outgoing next;
  next.method = request.method;
  next.headers = request.headers;
  next.body = request.body;
  if (status == 303 && request.method != "HEAD") {
    next.method = "GET";
    next.body.clear();
    std::erase_if(next.headers, [](const auto& one) { return one.first == "content-type"; });
  }
  const bool other_host = url->origin.host != request.url.origin.host || url->origin.port != request.url.origin.port;
  std::erase_if(next.headers, [&](const auto& one) {
    return other_host && (one.first == "authorization" || one.first == "cookie" || one.first == "host");
  });
  next.url_text = fmt::format("{}://{}{}", url->origin.tls ? "https" : "http", url->origin.authority(), url->target);
  next.url = std::move(*url);
  return next;
}

std::string traceparent(const Tracing& tracing) {
  const std::string trace = (tracing.prefix + base::random_hex(32)).substr(0, 32);
  return fmt::format("00-{}-{}-{}", trace, base::random_hex(16), tracing.sampled ? "01" : "00");
}

}  // namespace securebase::load::artillery
