// A bucket of this platform, read in the process. Answers as S3's REST API does.
#include <fmt/format.h>

#include "base/encoding.h"
#include "edge/origin.h"
#include "objects/objects.h"
#include "store/freshness.h"

namespace securebase::edge {

namespace {

std::string escaped(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (c == '<') {
      made += "&lt;";
    } else if (c == '>') {
      made += "&gt;";
    } else if (c == '&') {
      made += "&amp;";
    } else {
      made += c;
    }
  }
  return made;
}

http::Response xml_error(int status, std::string_view code, std::string_view message, std::string_view key) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/xml");
  response.headers.add("Server", "AmazonS3");
  response.body = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><Key>{}</Key></Error>",
      code, message, escaped(key));
  return response;
}

void add_fields(const objects::ObjectInfo& info, http::Headers& headers) {
  const auto add = [&headers](std::string_view name, const std::string& value) {
    if (!value.empty()) headers.add(name, value);
  };
  const auto& attributes = info.attributes;
  add("Content-Type", attributes.content_type);
  add("Cache-Control", attributes.cache_control);
  add("Content-Encoding", attributes.content_encoding);
  add("Content-Disposition", attributes.content_disposition);
  add("Content-Language", attributes.content_language);
  for (const auto& [name, value] : attributes.metadata) add("x-amz-meta-" + name, value);
  add("ETag", info.etag);
  add("Last-Modified", base::http_date(info.last_modified));
  add("Accept-Ranges", "bytes");
  add("Server", "AmazonS3");
}

class BucketOrigin final : public Origin {
 public:
  BucketOrigin(std::string bucket, objects::Objects& objects) : bucket_(std::move(bucket)), objects_(objects) {}

  net::Task<Result<http::Response>> fetch(OriginRequest& request, Caller&) override {
    const auto key = base::percent_decode(std::string_view(request.path).substr(1));
    if (!key) co_return xml_error(400, "InvalidURI", "Couldn't parse the specified URI.", request.path);
    if (request.method != http::Method::kGet && request.method != http::Method::kHead) {
      co_return xml_error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.", *key);
    }
    const auto info = objects_.head(bucket_, *key);
    if (!info) co_return missing(info.error(), *key);
    http::Response response;
    if (store::not_modified(request.headers, (*info)->etag, base::http_date((*info)->last_modified))) {
      response.status = 304;
      add_fields(**info, response.headers);
      co_return response;
    }
    auto object = co_await objects_.get(bucket_, *key);
    if (!object) co_return missing(object.error(), *key);
    add_fields(*object->info, response.headers);
    response.body = std::move(object->body);
    co_return response;
  }

 private:
  static Result<http::Response> missing(const Error& error, const std::string& key) {
    if (error.code != Errc::kNotFound) return error;
    return xml_error(404, "NoSuchKey", "The specified key does not exist.", key);
  }

  const std::string bucket_;
  objects::Objects& objects_;
};

}  // namespace

std::unique_ptr<Origin> make_bucket_origin(const OriginConfig& config, objects::Objects& objects) {
  return std::make_unique<BucketOrigin>(config.bucket, objects);
}

}  // namespace securebase::edge
