use flowcore::prelude::*;

struct Client;

impl Client {
    #[task]
    fn fetch(&self, url: String) -> String {
        url
    }
}

fn main() {}
