import { render } from "preact";
import { App } from "./App";
import { start } from "./store";
import "./style/base.css";
import "./style/rails.css";
import "./style/chat.css";
import "./style/composer.css";
import "./style/inspector.css";

render(<App />, document.getElementById("app") as HTMLElement);
start();
