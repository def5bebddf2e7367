export const workerdRows = async () => ({ rows: [], skipped: "todo" });
