// One page, embedded in the keeper. Everything it shows comes from the keeper's API; it computes nothing that matters.
import { render } from "preact";
import { App } from "./app";
import { start } from "./live/tabs";
import { takeFromAddress } from "./live/token";

takeFromAddress();
start();
const root = document.getElementById("app");
if (root) render(<App />, root);
