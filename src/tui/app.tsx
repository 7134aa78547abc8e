/**
 * The Ink app: a node per pane, placed where the layout says. What a node holds is not the pane's text, which would be
 * taken apart and put together again several times a frame, but a reference to its finished lines (`references.ts`):
 * only the nodes of blocks that changed are rendered again.
 */
import { Box, Text } from "ink";
import { useSyncExternalStore } from "react";
import type { Store } from "./store.ts";
import { reference } from "./terminal/references.ts";

export function App({ store }: { store: Store }) {
  const blocks = useSyncExternalStore(store.subscribe, store.places);
  const { columns, rows } = store.state;
  return (
    <Box width={columns} height={rows}>
      {blocks.map(({ id, x, y, width, height }) => (
        <Box key={id} position="absolute" marginLeft={x} marginTop={y} width={width} height={height}>
          <Content store={store} id={id} />
        </Box>
      ))}
    </Box>
  );
}

function Content({ store, id }: { store: Store; id: string }) {
  const serial = useSyncExternalStore(store.subscribe, () => store.serial(id));
  return <Text wrap="truncate">{reference(id, serial)}</Text>;
}
