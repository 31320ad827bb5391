// Reads the names of HTML files, one a line, and answers each with what html-validate finds in it, as JSON in a line.
import { createInterface } from "node:readline";
import { HtmlValidate } from "html-validate";

const checker = new HtmlValidate({
  root: true,
  extends: ["html-validate:standard"],
  rules: { "no-inline-style": "error", "input-missing-label": "error" },
});
for await (const path of createInterface({ input: process.stdin })) {
  const report = await checker.validateFile(path);
  const found = report.results.flatMap((result) =>
    result.messages.map((one) => `${one.line}:${one.column} ${one.ruleId}: ${one.message}`),
  );
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
