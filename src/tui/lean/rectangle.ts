/**
 * Takes the place of Yoga, Ink's flexbox engine, in the bundle. `layout.ts` decides where everything goes; what is left
 * to do is to hold rectangles: absolute boxes with a place and a size, and texts that fill their box. Yoga would take
 * 17 ms of each start and a millisecond of each frame for that.
 */

interface Style {
  marginLeft?: number;
  marginTop?: number;
  width?: number;
  height?: number;
}

class Rectangle {
  private left = 0;
  private top = 0;
  private width: number | undefined;
  private height: number | undefined;
  private parent: Rectangle | undefined;
  private children: Rectangle[] = [];

  static create(): Rectangle {
    return new Rectangle();
  }

  place(style: Style): void {
    if ("marginLeft" in style) this.left = style.marginLeft ?? 0;
    if ("marginTop" in style) this.top = style.marginTop ?? 0;
    if ("width" in style) this.width = style.width;
    if ("height" in style) this.height = style.height;
  }

  setWidth(width: number): void {
    this.width = width;
  }

  getComputedLeft(): number {
    return this.left;
  }

  getComputedTop(): number {
    return this.top;
  }

  getComputedWidth(): number {
    return this.width ?? this.parent?.getComputedWidth() ?? 0;
  }

  /** The root is as high as what is in it. */
  getComputedHeight(): number {
    return this.height ?? Math.max(0, ...this.children.map((child) => child.top + child.getComputedHeight()));
  }

  getComputedPadding(): number {
    return 0;
  }

  getComputedBorder(): number {
    return 0;
  }

  getDisplay(): undefined {
    return undefined;
  }

  getChildCount(): number {
    return this.children.length;
  }

  insertChild(child: Rectangle, index: number): void {
    child.parent = this;
    this.children.splice(index, 0, child);
  }

  removeChild(child: Rectangle): void {
    child.parent = undefined;
    this.children.splice(this.children.indexOf(child), 1);
  }

  /** Nothing is computed, so nothing is measured, marked or freed. */
  calculateLayout(): void {}
  setMeasureFunc(): void {}
  unsetMeasureFunc(): void {}
  markDirty(): void {}
  freeRecursive(): void {}
}

/** Takes the place of ink/build/styles.js. */
export function applyStyles(node: Rectangle, style: Style): void {
  node.place(style);
}

/** What Ink imports as Yoga. */
export const rectangles = { Node: Rectangle, DISPLAY_NONE: null };
