// lanewise/data: data sets to train and test on, and the files they come in.
export { toCategorical } from "./categorical.js";
export {
  type CategoryColumn,
  type Column,
  type ColumnRef,
  type ColumnType,
  type CsvOptions,
  csv,
  type LabelledTable,
  type NumberColumn,
  type Table,
  type TextColumn,
} from "./csv.js";
export { type Dataset, dataset, type Elements, type Samples, type Stacked } from "./dataset.js";
export type { Decode, DecodedImage } from "./decode.js";
export { digits } from "./digits.js";
export { idx, toIdx } from "./idx.js";
export { type ImageFileOptions, loadImage } from "./imagefile.js";
export { ImageFolder, type ImageFolderOptions, imageFolder, type LabelledImage } from "./imagefolder.js";
export { images, labels } from "./images.js";

export {
  type ImageLike,
  type ImageOptions,
  imageFromBytes,
  imageFromImageData,
  type PixelLayout,
  type PixelOptions,
} from "./pixels.js";
export { type Normalizer, normalizer, standardize } from "./standardize.js";
export type { ColorMode } from "./stored.js";
export {
  bytes,
  type CharacterVocabulary,
  characters,
  type TextSequence,
  type TextSequenceOptions,
  textSequences,
  type Vocabulary,
} from "./text.js";
export { type Forecast, type WindowOptions, windows } from "./windows.js";
