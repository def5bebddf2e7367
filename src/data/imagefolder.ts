// Folders of images, one subfolder for each class, as they lie on a disk or in a tar: a data set whose files are read and decoded when
// their turn comes.
import { checkKeys, rangeError, ShapeError, told } from "../errors.js";
import { filesUnder, type Local, local, readLocal } from "../runtime/folder.js";
import { readSource, type Source } from "../runtime/read.js";
import type { Tensor } from "../tensor.js";
import { Dataset } from "./dataset.js";
import { gunzip } from "./gunzip.js";
import { type ImageFile, type ImageFileOptions, imageFileOptions, reader } from "./imagefile.js";
import type { Indexed } from "./sequence.js";
import { type Pixels, scaling } from "./stored.js";
import { untar } from "./tar.js";

/** An image and the number of its class. */
export interface LabelledImage {
  /** float32 [height, width, channels] */
  readonly x: Tensor;
  /** int32 [], the position in `classNames` */
  readonly y: Tensor;
}

export interface ImageFolderOptions extends ImageFileOptions {
  /** The folder in which those of the classes are; default: the first in which there are several folders, or files in one. In a tar only. */
  root?: string;
  /**
   * `inferred`, the default: the name of the folder; numbers, one for each file in the order of `fileNames`; null for none: elements are
   * then `{ x }` alone.
   */
  labels?: "inferred" | readonly number[] | null;
  /** The folders' names in the order of their numbers; default sorted. All of them must be named. */
  classNames?: readonly string[];
  /** Keeps the pixels of every image once it was decoded: a byte a number, four where images are resized or made grey. Default false. */
  cache?: boolean;
}

/**
 * What `imageFolder` gives: a dataset with random access that knows its classes and files.
 * @example
 * const named = (data: ImageFolder, index: number) => data.classNames[index];
 */
export class ImageFolder<T = LabelledImage> extends Dataset<T> {
  /** Use `imageFolder`. */
  constructor(
    sequence: Indexed<T>,
    /** Names of the classes, by their numbers. */
    readonly classNames: readonly string[],
    /** Paths of the files, in the order of the elements: class by class, each sorted. */
    readonly fileNames: readonly string[],
  ) {
    super(sequence);
  }
}

const known = [
  "root",
  "labels",
  "classNames",
  "cache",
  ...imageFileOptions,
] as const satisfies (keyof ImageFolderOptions)[];

const DECODED = /\.(jpe?g|png)$/i;
const IMAGES = /\.(avif|bmp|gif|jpe?g|png|tiff?|webp)$/i;
/** A tar is no larger, compressed or not. */
const MAX_BYTES = 2 ** 32 - 1;

/**
 * Images with the names of their folders as classes, as Keras' `image_dataset_from_directory`: `root/cat/1.jpg`, `root/dog/2.png`. JPEG
 * files need the package `jpeg-js`, PNG files `fast-png`, or `options.decode` a function of one's own. Files whose names begin with a
 * point, and such as are no images by their names, are passed over.
 *
 * Elements come class by class: `shuffle(seed)` before training, and `split(0.8)` after it to hold data back.
 * @param source the path or `file:` URL of a folder (Node, Deno, Bun); or a tar, gzipped or not: its path, a URL to fetch, a response or
 *   its bytes, in any runtime
 * @returns elements `{ x, y }`: float32 [height, width, channels] of 0 to 1, and the class as int32
 * @throws {FormatError} for a tar that is damaged, and when its turn comes for such an image; {UnsupportedError} then where the decoder is
 *   not installed; {RangeError} for options that do not fit, or no images
 * @example
 * const decode = () => ({ data: new Uint8Array([255, 0, 0]), width: 1, height: 1 }); // in place of an installed package
 * const tar = new Uint8Array(2048); // an archive of one file, "train/red/1.png", without content
 * tar.set(new TextEncoder().encode("train/red/1.png"));
 * tar.set(new TextEncoder().encode("0003213"), 148);
 * tar[156] = 48;
 * const data = await imageFolder(tar, { decode });
 * data.classNames; // ["red"]
 * for await (const { x, y } of data.shuffle(1).batch(32)) console.log(x.shape, y.shape); // [1, 1, 1, 3] [1]
 */
export async function imageFolder(
  source: Source,
  options: ImageFolderOptions & { labels: null },
): Promise<ImageFolder<Pick<LabelledImage, "x">>>;
export async function imageFolder(source: Source, options?: ImageFolderOptions): Promise<ImageFolder>;
export async function imageFolder(
  source: Source,
  options: ImageFolderOptions = {},
): Promise<ImageFolder<LabelledImage | Pick<LabelledImage, "x">>> {
  const op = "imageFolder";
  checkKeys(op, options, known);
  const { labels = "inferred", cache = false } = options;
  const pixelsOf = reader(options, op);
  const image = scaling(op, options.colorMode ?? "rgb", options);
  const all = await filesOf(source, options);
  const { files, classNames, numbers } = labels === "inferred" ? byFolder(all, options) : byList(all, options);
  const kept: (Promise<Pixels> | Pixels | undefined)[] = [];
  const element = (pixels: Pixels, index: number) => {
    const x = image(pixels);
    const number = numbers?.[index];
    return number === undefined ? { x } : { x, y: { data: Int32Array.of(number), shape: [], dtype: "int32" } as const };
  };
  const get = (index: number) => {
    const found = kept[index];
    if (found !== undefined && !(found instanceof Promise)) return element(found, index);
    const read = found ?? pixelsOf(files[index]);
    if (cache && found === undefined) {
      kept[index] = read;
      read.then(
        (pixels) => {
          kept[index] = pixels;
        },
        () => {
          kept[index] = undefined;
        },
      );
    }
    return read.then((pixels) => element(pixels, index));
  };
  return new ImageFolder(
    { size: files.length, read: () => get },
    classNames,
    files.map(({ path }) => path),
  );
}

/** The images of a folder or a tar, sorted by their paths. */
async function filesOf(source: Source, { decode, root }: ImageFolderOptions): Promise<ImageFile[]> {
  const wanted = decode ? IMAGES : DECODED;
  const isImage = (path: string) => wanted.test(path) && !path.slice(path.lastIndexOf("/") + 1).startsWith(".");
  const place = typeof source === "string" || source instanceof URL ? local(source) : undefined;
  if (place?.kind === "nothing")
    throw rangeError({ op: "imageFolder", expected: "a folder or a tar", actual: `nothing at ${place.path}` });
  if (place?.kind === "folder") {
    if (root !== undefined)
      throw rangeError({ op: "imageFolder", expected: "a tar for options.root", actual: `the folder ${place.path}` });
    const files = filesUnder(place.path).filter(isImage).sort();
    return atLeastOne(files.map((path) => ({ path, read: () => readLocal(`${place.path}/${path}`) })));
  }
  const files = [...(await entriesOf(source, place))]
    .map(([path, bytes]) => ({ path: path.replace(/^(\.?\/)+/, ""), read: () => bytes }))
    .filter(({ path }) => isImage(path));
  const base = root === undefined ? commonRoot(files) : `${root.replace(/\/+$/, "")}/`;
  const inside = files
    .filter(({ path }) => path.startsWith(base))
    .map(({ path, read }) => ({ path: path.slice(base.length), read }));
  return atLeastOne(
    inside.sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path))),
    root,
  );
}

function atLeastOne(files: ImageFile[], root?: string): ImageFile[] {
  if (files.length > 0) return files;
  const where = root === undefined ? "" : ` under ${root}`;
  throw rangeError({ op: "imageFolder", expected: `images by their names${where}`, actual: "none" });
}

async function entriesOf(source: Source, place: Local | undefined): Promise<Map<string, Uint8Array>> {
  const bytes = place ? await readLocal(place.path) : await readSource(source);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return untar(bytes);
  // gzip's last four bytes are its output's length: what a file may become is known before, and no file becomes more.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = bytes.length < 18 ? 0 : view.getUint32(bytes.length - 4, true);
  return untar(await gunzip(bytes, () => Math.min(length, MAX_BYTES), "tar"));
}

/** The longest folder that all files share, with those of the classes still below it. */
function commonRoot(files: readonly ImageFile[]): string {
  const folders = files.map(({ path }) => path.split("/").slice(0, -2));
  const [first = []] = folders;
  let depth = 0;
  while (depth < first.length && folders.every((parts) => parts[depth] === first[depth])) depth++;
  return first
    .slice(0, depth)
    .map((part) => `${part}/`)
    .join("");
}

interface Labelled {
  readonly files: readonly ImageFile[];
  readonly classNames: readonly string[];
  readonly numbers: readonly number[] | undefined;
}

/** Files in folders, with the numbers of these. */
function byFolder(all: readonly ImageFile[], { classNames }: ImageFolderOptions): Labelled {
  const inFolders = atLeastOne(all.filter(({ path }) => path.includes("/")));
  const folderOf = ({ path }: ImageFile) => path.slice(0, path.indexOf("/"));
  const found = [...new Set(inFolders.map(folderOf))].sort();
  const names = classNames ?? found;
  if (!Array.isArray(names) || String([...names].sort()) !== String(found)) {
    const expected = `classNames to be the folders' names, ${found.slice(0, 20).join(", ")}`;
    throw rangeError({ op: "imageFolder", expected, actual: Array.isArray(names) ? names.join(", ") : told(names) });
  }
  const numbers = new Map(names.map((name, i) => [name, i]));
  const files = names.flatMap((name) => inFolders.filter((file) => folderOf(file) === name));
  return { files, classNames: names, numbers: files.map((file) => numbers.get(folderOf(file)) as number) };
}

/** All files, with the user's numbers or none. */
function byList(files: readonly ImageFile[], { labels, classNames = [] }: ImageFolderOptions): Labelled {
  if (labels === null) return { files, classNames, numbers: undefined };
  const given: readonly unknown[] = Array.isArray(labels) ? labels : [];
  if (!Array.isArray(labels) || !given.every((n) => Number.isInteger(n) && (n as number) >= 0)) {
    const expected = 'labels to be "inferred", whole numbers of at least 0, or null';
    throw rangeError({ op: "imageFolder", expected, actual: Array.isArray(labels) ? "others" : told(labels) });
  }
  if (given.length !== files.length) {
    const expected = `labels for ${files.length} files`;
    throw new ShapeError({ op: "imageFolder", expected, actual: String(given.length) });
  }
  return { files, classNames, numbers: given as readonly number[] };
}
