/**
 * The Ink app: a node per block, placed where the layout says. What a node holds is the block's name, not its text: the
 * painter takes the lines of what Ink placed from the store (`mount.tsx`), so that Ink and React run when the layout
 * changes and not for every frame.
 */
import { Box, Text } from "ink";
import { useSyncExternalStore } from "react";
import type { Store } from "./store.ts";

export function App({ store }: { store: Store }) {
  const blocks = useSyncExternalStore(store.subscribe, store.places);
  const { columns, rows } = store.state;
  return (
    <Box width={columns} height={rows}>
      {blocks.map(({ id, x, y, width, height }) => (
        <Box key={id} position="absolute" marginLeft={x} marginTop={y} width={width} height={height}>
          <Text wrap="truncate">{id}</Text>
        </Box>
      ))}
    </Box>
  );
}
