/** The parts of blessed-contrib that draw without a screen. */
declare module "blessed-contrib/lib/widget/charts/line.js" {
  interface Series {
    x: string[];
    y: number[];
  }
  export default class Line {
    constructor(options: { maxY: number; minY?: number });
    ctx: unknown;
    canvasSize: { width: number; height: number };
    setData(series: Series[]): void;
  }
}

declare module "blessed-contrib/lib/widget/canvas.js" {
  export default class Canvas {
    // biome-ignore lint/complexity/noBannedTypes: anything that `new` makes a surface of
    constructor(options: object, surface: Function);
    width: number;
    height: number;
    ctx: { clearRect(): void };
    canvasSize: { width: number; height: number };
    calcSize(): void;
    emit(event: "attach"): void;
  }
}
