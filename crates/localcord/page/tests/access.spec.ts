// For a narrow screen, and for who sees little or nothing.

import { createRequire } from "node:module";
import type { Page } from "@playwright/test";
import { expect, test } from "./showcase";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

interface Finding {
  impact: string;
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

// axe's serious findings, in words. It is evaluated by the test's protocol: the page's own policy lets no script in.
async function serious(page: Page): Promise<string[]> {
  const { readFile } = await import("node:fs/promises");
  await page.evaluate(await readFile(AXE, "utf8"));
  const violations = await page.evaluate<Finding[]>("axe.run().then((found) => found.violations)");
  return violations
    .filter((finding) => finding.impact === "serious" || finding.impact === "critical")
    .flatMap((finding) => finding.nodes.map((node) => `${finding.id}: ${node.html}\n${node.failureSummary}`));
}

const isWiderThanScreen = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

test("axe has nothing serious to say, of messages, lists, modals and the inspector", async ({ chat, page }) => {
  await chat.channel("alerts");
  for (const command of ["panel", "report", "prose", "whisper"]) await chat.command(command);
  await expect(chat.message("Between us.")).toBeVisible();
  expect(await serious(page)).toEqual([]);
  await chat.entry.fill("/");
  await expect(page.getByRole("option").first()).toBeVisible();
  expect(await serious(page)).toEqual([]);
  await chat.entry.fill("");
  await chat.message("What shall be done?").getByRole("button", { name: "Explain" }).click();
  expect(await serious(page)).toEqual([]);
  await page.keyboard.press("Escape");
  for (const tab of ["Traffic", "Limits", "Faults"] as const) {
    const inspector = await chat.inspect(tab);
    expect(await serious(page)).toEqual([]);
    await inspector.getByRole("button", { name: "Close the inspector" }).click();
  }
});

test.describe("on a screen of 390 px", () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test("nothing scrolls sideways, and everything can be reached", async ({ chat, page }) => {
    for (const command of ["panel", "report", "prose"]) await chat.command(command);
    await expect(chat.message("Heading")).toBeVisible();
    expect(await isWiderThanScreen(page)).toBe(false);
    await page.getByRole("button", { name: "Channels", exact: true }).click();
    await expect(page.getByRole("button", { name: "ops", exact: true })).toBeVisible();
    expect(await isWiderThanScreen(page)).toBe(false);
    await page.getByRole("button", { name: "ops", exact: true }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("ops");
    for (const tab of ["Traffic", "Limits", "Faults"] as const) {
      const inspector = await chat.inspect(tab);
      expect(await isWiderThanScreen(page)).toBe(false);
      await inspector.getByRole("button", { name: "Close the inspector" }).click();
    }
    expect(await serious(page)).toEqual([]);
  });
});
