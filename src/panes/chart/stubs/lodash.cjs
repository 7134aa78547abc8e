// The one function of lodash that blessed-contrib's line chart calls.
module.exports = {
  max(values, by) {
    let best;
    for (const value of values) if (best === undefined || by(value) > by(best)) best = value;
    return best;
  },
};
