#pragma once
// No LibTorch.

#include <set>
#include <string>

#include "regimen/report/detail/html_colours.hpp"

/// The style sheet of a page.
namespace regimen::inline v0::detail::reports {

/// Sizes and places. Nothing here is wider than the page: panels shrink, tables scroll in boxes of their own, which
/// have a shadow where there is more; pictures, which would hide it, have an arrow below.
inline constexpr const char* layout_rules = R"(*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1rem;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 1rem}
h2{font-size:1.2rem;line-height:1.3;margin:0 0 .5rem}
h1,h2,p,td,th,pre,figcaption,summary{overflow-wrap:break-word}
p{max-width:44rem;margin:.5rem 0}
a{color:var(--link)}
section{border-top:1px solid var(--rule);margin-top:2rem;padding-top:1rem}
nav ol{margin:.5rem 0;padding-left:1.5rem}
figure{margin:1rem 0}
figcaption,.note{color:var(--soft);font-size:.875rem;max-width:44rem;margin:.5rem 0}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1rem;align-items:start}
.one{grid-template-columns:minmax(0,34rem)}
.p{width:100%;height:auto;display:block}
.wide{min-width:37rem;max-width:48rem}
.panels>.scroll{grid-column:1/-1}
.scroll{overflow-x:auto;margin:.5rem 0;background:linear-gradient(90deg,var(--ground) 30%,transparent),linear-gradient(90deg,transparent,var(--ground) 70%) 100% 0,linear-gradient(90deg,var(--rule),transparent),linear-gradient(90deg,transparent,var(--rule)) 100% 0;background-repeat:no-repeat;background-size:2.5rem 100%,2.5rem 100%,.7rem 100%,.7rem 100%;background-attachment:local,local,scroll,scroll}
@media(max-width:38rem){.scroll:has(>.wide)::after{content:"\2194";position:sticky;left:0;display:block;color:var(--soft)}}
.scroll:focus-visible,summary:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:bold;padding:.25rem 0}
th,td{border-bottom:1px solid var(--rule);padding:.2rem .5rem;text-align:left;vertical-align:top}
thead th{background:var(--shade);vertical-align:bottom}
tbody th{font-weight:normal}
td.n,td.w,tbody th.n{white-space:nowrap}
th.n,td.n{text-align:right}
tr>:first-child{padding-left:.25rem}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--link);font-size:.875rem}
pre{background:var(--shade);padding:.75rem;font-size:.8125rem;white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0}
img{display:block;max-width:100%;image-rendering:pixelated}
img.wide{max-width:48rem}
)";

/// On paper everything is open and nothing scrolls.
inline constexpr const char* print_rules = R"(@media print{body{max-width:none;padding:0;font-size:10pt}
nav{display:none}
details::details-content{display:block;content-visibility:visible;height:auto}
.scroll{overflow:visible;background:none}
.panels{grid-template-columns:repeat(2,minmax(0,1fr))}
.one{grid-template-columns:minmax(0,12cm)}
.wide{min-width:0}
figure .panels,tr{break-inside:avoid}
h2,summary{break-after:avoid}
table{font-size:8pt}
pre{font-size:7pt}}
)";

/// The whole sheet. The colours of the dark page are for screens only: paper is white.
inline std::string style_sheet(const std::set<ColourUse>& colours) {
  return theme_rules(light_theme) + layout_rules + colour_rules(light_theme, colours) +
         "@media screen and (prefers-color-scheme:dark){\n" + theme_rules(dark_theme) +
         colour_rules(dark_theme, colours) + "}\n" + print_rules;
}

}  // namespace regimen::inline v0::detail::reports
