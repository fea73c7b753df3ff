// Great-circle distance between perspectives, for a choice that the keep will accept; the keep measures anew.

/** BR §3.2.2.9. */
export const minimumKilometres = 500;

type Place = { readonly latitude: number; readonly longitude: number };

const earthRadiusKilometres = 6371.0088;

/** Haversine distance on the mean radius of the earth. */
export function kilometresBetween(a: Place, b: Place): number {
  const [latitudeA, latitudeB] = [radians(a.latitude), radians(b.latitude)];
  const half =
    Math.sin((latitudeB - latitudeA) / 2) ** 2 +
    Math.cos(latitudeA) * Math.cos(latitudeB) * Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  return 2 * earthRadiusKilometres * Math.asin(Math.min(1, Math.sqrt(half)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
