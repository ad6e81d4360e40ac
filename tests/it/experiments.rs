//! Who is assigned, exposed and counted.
