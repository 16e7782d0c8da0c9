import { expect, test } from "./showcase";

test("a command's dispatch and its answer, with time and verdict", async ({ chat, page }) => {
  const inspector = await chat.inspect("Traffic");
  await chat.command("whisper");
  const dispatch = inspector.getByRole("button", { name: /INTERACTION_CREATE command \/whisper by olga/ });
  await expect(dispatch).toHaveAccessibleName(/\d+ ms of 3 s, answered/);
  const answer = inspector.getByRole("button", { name: /POST .*callback.* 204 valid/ }).last();
  await answer.click();
  await expect(inspector.getByText("Valid by Discord's OpenAPI file")).toBeVisible();
  await expect(inspector.locator("pre").first()).toContainText('"content": "Between us."');
  await inspector.getByRole("searchbox").fill("nothing of this name");
  await expect(inspector.getByText("Nothing yet.")).toBeVisible();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await expect(dispatch).toBeVisible();
});

test("who does not answer within three seconds is a problem", async ({ chat }) => {
  const inspector = await chat.inspect("Traffic");
  await inspector.getByRole("button", { name: "Problems" }).click();
  await chat.command("sleep");
  await expect(inspector.getByRole("button", { name: /\/sleep by olga.*no answer in time/ })).toBeVisible();
});

test("rate limits, bucket by bucket", async ({ chat }) => {
  const inspector = await chat.inspect("Limits");
  await chat.command("whisper");
  const row = inspector.getByRole("row", { name: /POST \/interactions/ });
  await expect(row.first()).toContainText(/\d+ \/ 50/);
});

test("a fault from the page: an error, named where it hit, until it is released", async ({ chat }) => {
  const inspector = await chat.inspect("Faults");
  await inspector.getByLabel(/^Status/).selectOption("503");
  await inspector.getByLabel("Path").fill("/interactions/**");
  await inspector.getByRole("button", { name: "Begin" }).click();
  await expect(inspector.getByText("answer 503")).toBeVisible();
  await chat.command("whisper");
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(inspector.getByRole("button", { name: /POST .*callback.* 503/ }).first()).toBeVisible();
  await inspector.getByRole("tab", { name: "Faults" }).click();
  await inspector.getByRole("button", { name: "Release" }).click();
  await expect(inspector.getByText("All REST calls are served as they should be.")).toBeVisible();
});

test("the gateway is dropped and closed from the page, and the bot comes back", async ({ chat }) => {
  const inspector = await chat.inspect("Faults");
  await inspector.getByRole("button", { name: "Drop the connection" }).click();
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(inspector.getByRole("button", { name: /The gateway connection ended/ })).toBeVisible();
  await expect(inspector.getByRole("button", { name: /RESUMED/ })).toBeVisible();
  await inspector.getByRole("tab", { name: "Faults" }).click();
  await inspector.getByRole("button", { name: "Close with 4000" }).click();
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(inspector.getByRole("button", { name: /Closed by localcord with 4000/ })).toBeVisible();
  await expect(inspector.getByRole("button", { name: /RESUMED/ })).toHaveCount(2);
});
