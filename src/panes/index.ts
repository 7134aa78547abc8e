/** The panes there are, by kind. */
import { chartPane } from "./chart/index.ts";
import { editorPane } from "./editor/index.ts";
import { eventsPane } from "./events/index.ts";
import { histogramPane } from "./histogram/index.ts";
import { libraryPane } from "./library/index.ts";
import type { AnyPane, PaneKind } from "./pane.ts";
import { topPane } from "./top/index.ts";

export const panes: Record<PaneKind, AnyPane> = {
  editor: editorPane,
  library: libraryPane,
  histogram: histogramPane,
  top: topPane,
  chart: chartPane,
  events: eventsPane,
};
