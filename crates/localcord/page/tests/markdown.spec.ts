// Discord's dialect, by examples: no browser is needed.

import { expect, test } from "@playwright/test";
import { type Block, type Inline, parse } from "../src/text/markdown";
import { stamp } from "../src/text/time";

const isList = (node: Block | Inline): node is Extract<Block, { kind: "list" }> => node.kind === "list";

// A tree as text: `strong(a em(b))`.
function told(nodes: (Block | Inline)[]): string {
  return nodes.map(one).join(" ");
}

function one(node: Block | Inline): string {
  if (isList(node)) return `list${node.start ?? ""}(${node.items.map((item) => told(item)).join(", ")})`;
  if (node.kind === "heading") return `heading${node.level}(${told(node.children)})`;
  if (node.kind === "code") return `code${"language" in node ? `:${node.language}` : ""}(${node.text})`;
  if (node.kind === "link") return `link(${node.url} ${told(node.children)})`;
  if ("children" in node) return node.kind === "text" ? told(node.children) : `${node.kind}(${told(node.children)})`;
  if (node.kind === "time") return `time(${node.at} ${node.style})`;
  if ("id" in node) return `${node.kind}(${node.id})`;
  if (node.kind === "emoji") return `emoji(${node.name})`;
  return node.kind === "mention" ? `mention(${node.text})` : node.text;
}

const CASES: [string, string][] = [
  ["**bold** _it_ *it* __under__ ~~gone~~", "strong(bold)   em(it)   em(it)   u(under)   s(gone)"],
  ["**a _b_**", "strong(a  em(b))"],
  ["tool_name_x and 2 * 3 * 4", "tool_name_x and 2 * 3 * 4"],
  ["\\*plain\\* `**code**` ``a`b``", "*plain*  code(**code**)   code(a`b)"],
  ["||secret||", "spoiler(secret)"],
  [
    "[text](https://a.b/c) <https://d.e> https://f.g/h.",
    "link(https://a.b/c text)   link(https://d.e https://d.e)   link(https://f.g/h https://f.g/h) .",
  ],
  ["[no](javascript:alert(1))", "[no](javascript:alert(1))"],
  ["<script>alert(1)</script>", "<script>alert(1)</script>"],
  [
    "<@1> <@!2> <@&3> <#4> </stop:5> @everyone",
    "user(1)   user(2)   role(3)   channel(4)   mention(/stop)   mention(@everyone)",
  ],
  ["<t:1700000000:R> <t:5> <:ship:9>", "time(1700000000 R)   time(5 f)   emoji(ship)"],
  ["# One\n### Three\n-# small", "heading1(One) heading3(Three) subtext(small)"],
  ["#ops is no heading", "#ops is no heading"],
  ["> a\n> b\nc", "quote(a\nb) c"],
  [">>> a\nb", "quote(a\nb)"],
  ["- a\n  - b\n- c", "list(a list(b), c)"],
  ["3. a\n4. b", "list3(a, b)"],
  ["x\n```rust\nfn main() {}\n```\ny", "x code:rust(fn main() {}) y"],
  ["```one line```", "code:(one line)"],
  ["a\n\nb", "a\n\nb"],
];

for (const [text, tree] of CASES) {
  test(`reads ${JSON.stringify(text)}`, () => {
    expect(told(parse(text))).toBe(tree);
  });
}

test("times are told by distance", () => {
  expect(stamp(1000, "R", 1003)).toBe("3 seconds ago");
  expect(stamp(1000 + 7200, "R", 1000)).toBe("in 2 hours");
  expect(stamp(1000, "R", 1000 + 86_400 * 40)).toBe("last month");
});
