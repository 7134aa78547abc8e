/** The Ink app: one node of finished lines per pane, placed where the layout says. */
import { Box, Text } from "ink";
import { useSyncExternalStore } from "react";
import type { Store } from "./store.ts";

export function App({ store }: { store: Store }) {
  const { blocks } = useSyncExternalStore(store.subscribe, store.picture);
  const { columns, rows } = store.state;
  return (
    <Box width={columns} height={rows}>
      {blocks.map(({ id, x, y, width, height, text }) => (
        <Box key={id} position="absolute" marginLeft={x} marginTop={y} width={width} height={height}>
          <Text wrap="truncate">{text}</Text>
        </Box>
      ))}
    </Box>
  );
}
