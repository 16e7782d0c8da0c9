import { useEffect, useState } from "preact/hooks";
import { Icon } from "../parts/Icon";
import type { Attachment } from "../types";
import { own, size } from "./files";

const PREVIEWED_BYTES = 256 * 1024;
const PREVIEWED_LINES = 6;

const isImage = (file: Attachment) =>
  /^image\/(png|jpeg|gif|webp)$/.test(file.content_type ?? "") || /\.(png|jpe?g|gif|webp)$/i.test(file.filename);
const isText = (file: Attachment) =>
  file.size <= PREVIEWED_BYTES &&
  (/^text\/|json$/.test(file.content_type ?? "") || /\.(txt|log|json|ya?ml|toml|md|csv|diff)$/i.test(file.filename));

export function AttachmentItem({ file }: { file: Attachment }) {
  const path = own(file.url);
  if (path && isImage(file)) {
    return (
      <a class="picture" href={path} download={file.filename}>
        <img src={path} alt={file.filename} loading="lazy" />
      </a>
    );
  }
  return (
    <div class="file">
      {path && isText(file) && <Preview path={path} />}
      <div class="file-line">
        <Icon name="file" size={32} />
        <span>
          <a href={path ?? file.url} download={file.filename}>
            {file.filename}
          </a>
          <small>{size(file.size)}</small>
        </span>
        <a
          class="icon-button"
          href={path ?? file.url}
          download={file.filename}
          aria-label={`Download ${file.filename}`}
        >
          <Icon name="download" />
        </a>
      </div>
    </div>
  );
}

function Preview({ path }: { path: string }) {
  const [text, setText] = useState("");
  const [whole, setWhole] = useState(false);
  useEffect(() => {
    fetch(path).then(
      async (response) => response.ok && setText(await response.text()),
      () => {},
    );
  }, [path]);
  const lines = text.split("\n");
  return (
    <>
      <pre tabIndex={0}>
        <code>{whole ? text : lines.slice(0, PREVIEWED_LINES).join("\n")}</code>
      </pre>
      {lines.length > PREVIEWED_LINES && (
        <button type="button" class="link more" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? "Collapse" : `Show all ${lines.length} lines`}
        </button>
      )}
    </>
  );
}
