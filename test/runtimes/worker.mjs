// The entry in workerd: a worker that runs the scenario on a request. workerd.ts writes entries.mjs, which imports the files
// that the package's condition "workerd" names; workerd itself knows no package.json.
import { data, int8, lanewise, train } from "./entries.mjs";
import scalar from "./kernels.scalar.wasm";
import { report } from "./report.mjs";

export default {
  async fetch() {
    return Response.json(await report({ ...lanewise, ...int8 }, train, data, scalar));
  },
};
