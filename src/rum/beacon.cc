#include "rum/beacon.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace securebase::rum {

namespace {

// Every byte is sent to every visitor, so the script is written as it is served. Its letters:
//   d document, p performance, q the path at the beginning (pages of one document change it), n the navigation's entry,
//   z when it was shown, for a page that the browser had prepared; l LCP, c CLS, i durations by interaction, e errors,
//   O what asks the observers for entries that they have not been told yet.
// web.dev/articles/vitals says how each vital is defined.
constexpr std::string_view kScript =
    "(()=>{let d=document,p=performance,P=PerformanceObserver,q=location.pathname,i={},e=0,w=0,a=0,b=0,O=[],s,l,c,"
    // Entries of a type, those of before this script too. Browsers ignore types that they do not know.
    "o=(t,f)=>{let y=new P(x=>x.getEntries().map(f));y.observe({type:t,buffered:!0,durationThreshold:16});"
    "O.push(()=>y.takeRecords().map(f))},"
    "g=t=>p.getEntriesByType(t),"
    "I=x=>{let k=x.interactionId;if(k)i[k]=Math.max(i[k]||0,x.duration)};"
    // A page that began in a tab nobody looked at measures patience, not speed; one that the browser prepared is hidden
    // too, until it is shown.
    "if(d.hidden&&!d.prerendering)return;"
    "o(\"largest-contentful-paint\",x=>l=x.startTime);"
    "o(\"event\",I);o(\"first-input\",I);"
    // CLS: the worst burst of shifts, each within 1 s of the one before and all within 5 s.
    "if(P.supportedEntryTypes.includes(\"layout-shift\"))c=0,"
    "o(\"layout-shift\",x=>{let t=x.startTime;if(!x.hadRecentInput){if(t-b>1e3||t-a>5e3)a=t,w=0;b=t;"
    "c=Math.max(c,w+=x.value)}});"
    "for(let t of[\"error\",\"unhandledrejection\"])addEventListener(t,()=>e++);"
    // Once, when the page is left or hidden: the vitals are known only then.
    "let k=()=>{if(s||d.prerendering)return;s=1;O.map(x=>x());"
    "let n=g(\"navigation\")[0]||{},z=n.activationStart||0,m=x=>x>0?Math.max(0,x-z+.5|0):null,"
    // INP: the slowest interaction; one in fifty may be an accident.
    "v=Object.values(i).sort((x,y)=>y-x);"
    "navigator.sendBeacon(\"/_securebase/page\",JSON.stringify({p:q,t:m(n.responseStart),"
    "f:m((g(\"paint\").find(x=>x.name[6]==\"c\")||n).startTime),l:m(l),d:m(n.domContentLoadedEventEnd),"
    "o:m(n.loadEventEnd),i:v[Math.min(v.length-1,(p.interactionCount||0)/50|0)],c,e,"
    // The traces of the page's own calls, the slowest first.
    "x:[n,...g(\"resource\")].sort((x,y)=>y.duration-x.duration).flatMap(x=>x.serverTiming||[])"
    ".filter(x=>x.name==\"trace\").map(x=>x.description).slice(0,8)}))};"
    "d.addEventListener(\"visibilitychange\",()=>d.hidden&&k());addEventListener(\"pagehide\",k)})()";

Error malformed(std::string message) { return {Errc::kMalformed, std::move(message)}; }

Result<std::optional<double>> number_within(std::string_view name, const base::Json& value, double most) {
  if (value.is_null()) return std::optional<double>();
  const double number = value.number_or(-1);
  // Not a number compares false with everything.
  if (!value.is_number() || !(number >= 0 && number <= most)) {
    return malformed(fmt::format("\"{}\" is a number from 0 to {}, or null", name, most));
  }
  return std::optional(number);
}

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// X-Ray's form: 1-<8 hex>-<24 hex>.
bool is_trace_id(std::string_view text) {
  return text.size() == 35 && text.substr(0, 2) == "1-" && text[10] == '-' && is_lower_hex(text.substr(2, 8)) &&
         is_lower_hex(text.substr(11));
}

Result<Done> take_path(const base::Json& value, std::string& path) {
  const auto* text = value.as_string();
  const auto visible = [](char c) { return c > ' ' && c < 0x7f; };
  if (!text || !text->starts_with('/') || text->size() > kPathBytes ||
      !std::all_of(text->begin(), text->end(), visible)) {
    return malformed(fmt::format("\"p\" is a path of at most {} bytes that begins with /", kPathBytes));
  }
  path = *text;
  return Done{};
}

Result<Done> take_traces(const base::Json& value, std::vector<std::string>& traces) {
  const auto* list = value.as_array();
  if (!list || list->size() > kTraces) return malformed(fmt::format("\"x\" is a list of at most {} traces", kTraces));
  for (const auto& one : *list) {
    if (!is_trace_id(one.string_or(""))) return malformed("a trace is 1-<8 hex>-<24 hex>");
    if (std::find(traces.begin(), traces.end(), one.string_or("")) == traces.end()) {
      traces.emplace_back(one.string_or(""));
    }
  }
  return Done{};
}

std::optional<double>* timing_of(Timings& timings, std::string_view name) {
  if (name.size() != 1) return nullptr;
  switch (name.front()) {
    case 't':
      return &timings.first_byte;
    case 'f':
      return &timings.first_paint;
    case 'l':
      return &timings.largest_paint;
    case 'd':
      return &timings.dom_content_loaded;
    case 'o':
      return &timings.load;
    case 'i':
      return &timings.next_paint;
    case 'c':
      return &timings.layout_shift;
    default:
      return nullptr;
  }
}

}  // namespace

std::string script(double sample_rate) {
  std::string text;
  if (sample_rate < 1) text = fmt::format("Math.random()<{}&&", sample_rate);
  return text.append(kScript);
}

Result<Beacon> parse_beacon(std::string_view text) {
  if (text.size() > kBeaconBytes) return malformed(fmt::format("a beacon has at most {} bytes", kBeaconBytes));
  auto json = base::Json::parse(text);
  if (!json) return json.error();
  const auto* members = json->as_object();
  if (!members) return malformed("a beacon is a JSON object");
  Beacon beacon;
  for (const auto& [name, value] : *members) {
    Result<Done> taken = Done{};
    if (auto* timing = timing_of(beacon.timings, name)) {
      auto number = number_within(name, value, name == "c" ? kLargestShift : kLongestMilliseconds);
      if (!number) return number.error();
      *timing = *number;
    } else if (name == "p") {
      taken = take_path(value, beacon.path);
    } else if (name == "x") {
      beacon.traces.clear();
      taken = take_traces(value, beacon.traces);
    } else if (name == "e" && value.is_integer() && value.integer_or(-1) >= 0) {
      beacon.script_errors = static_cast<std::uint32_t>(std::min(value.integer_or(0), kMostErrors));
    } else {
      return malformed("a beacon has the members p, t, f, l, d, o, i, c, e and x");
    }
    if (!taken) return taken.error();
  }
  if (beacon.path.empty()) return malformed("a beacon names its page: \"p\"");
  return beacon;
}

}  // namespace securebase::rum
